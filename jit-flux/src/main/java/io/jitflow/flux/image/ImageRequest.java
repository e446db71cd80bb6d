package io.jitflow.flux.image;

import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * What to draw, and how: everything that decides the pixels, except the networks.
 *
 * <p>Immutable. {@link #of} gives a request with defaults; every {@code with} method returns a
 * changed copy and refuses bad values at once:
 *
 * <pre>{@code
 * ImageRequest.of("a red fox in snow").withSize(1024, 768).withSeed(42).withSampler(sampler)
 * }</pre>
 *
 * <p>What a request leaves open (sampler, seed, number of text tokens) the pipeline fills in; the
 * request in its answer, and in the PNG files it saves, has every value. Two requests are equal if
 * they describe the same images; the listener does not count.
 */
public final class ImageRequest {

  /** Width and height unless given, in px. */
  public static final int DEFAULT_SIZE_PX = 1024;

  /** The guidance scale unless given, as in FLUX.1-dev's reference pipeline. */
  public static final double DEFAULT_GUIDANCE = 3.5;

  /** Widths and heights are multiples of this many px: 8 px per latent, 2 latents per token. */
  public static final int SIZE_STEP_PX = 16;

  /** How wide the transition at a mask's edge is unless given. */
  public static final int DEFAULT_FEATHER_PX = 8;

  private static final int LARGEST_SIZE_PX = 16_384;

  /** All images of a request are in memory together: 40 GB of 1024 x 1024 px at this count. */
  private static final int LARGEST_COUNT = 10_000;

  /** Eight times what FLUX.1 was trained with. */
  private static final int LARGEST_TEXT_TOKENS = 4096;

  private final String prompt;
  private final Optional<String> negativePrompt;
  private final double trueCfgScale;
  private final int widthPx;
  private final int heightPx;
  private final double guidance;
  private final OptionalLong seed;
  private final int count;
  private final OptionalInt textTokens;
  private final Optional<Sampler> sampler;
  private final Optional<StartImage> start;
  private final Optional<Inpainting> inpainting;
  private final OptionalDouble secondPass;
  private final Optional<SamplingListener> listener;

  private ImageRequest(Draft draft) {
    prompt = draft.prompt;
    negativePrompt = draft.negativePrompt;
    trueCfgScale = draft.trueCfgScale;
    widthPx = draft.widthPx;
    heightPx = draft.heightPx;
    guidance = draft.guidance;
    seed = draft.seed;
    count = draft.count;
    textTokens = draft.textTokens;
    sampler = draft.sampler;
    start = draft.start;
    inpainting = draft.inpainting;
    secondPass = draft.secondPass;
    listener = draft.listener;
    start.ifPresent(from -> checkFits("the picture to start from", from.image()));
    inpainting.ifPresent(part -> checkFits("the mask", part.mask()));
    Checks.argument(
        inpainting.isEmpty() || start.isPresent(),
        "a mask says which part of a picture is drawn anew: give the picture too");
    Checks.argument(
        secondPass.isEmpty() || start.isEmpty(),
        "two passes draw a picture from noise: give either them or a picture to start from");
    Checks.argument(
        seed.isEmpty() || seed.getAsLong() <= Long.MAX_VALUE - (count - 1),
        "image %d of %d would have a seed beyond 2^63 - 1, the first has %d",
        count - 1,
        count,
        seed.orElse(0));
  }

  /**
   * A request for one image of 1024 x 1024 px with guidance 3.5.
   *
   * @param prompt what to draw; any length, may be empty. Text beyond what the text encoders read
   *     (77 CLIP tokens, 512 or 256 T5 tokens) has no effect, which the answer's remarks tell
   * @return the request
   */
  public static ImageRequest of(String prompt) {
    return new ImageRequest(new Draft(Objects.requireNonNull(prompt, "prompt")));
  }

  /**
   * Reads the request that a PNG file was made from.
   *
   * @param png a file saved by {@link GeneratedImages#save}, or by another program that writes its
   *     {@code parameters}
   * @return the complete request, without a listener; of another program's file, what its
   *     parameters tell
   * @throws IOException if the file cannot be read, is no PNG or carries no request
   */
  public static ImageRequest fromPng(Path png) throws IOException {
    return ImageOrigin.read(png).request();
  }

  /**
   * Reads the request that a PNG file was made from, from memory.
   *
   * @param png the content of a file, as of {@link GeneratedImages#toPng}
   * @return as of {@link #fromPng(Path)}
   * @throws IOException if it is no PNG or carries no request
   */
  public static ImageRequest fromPng(byte[] png) throws IOException {
    return ImageOrigin.read(png).request();
  }

  /**
   * With another prompt.
   *
   * @param text see {@link #of}
   * @return the changed copy
   */
  public ImageRequest withPrompt(String text) {
    return with(draft -> draft.prompt = Objects.requireNonNull(text, "prompt"));
  }

  /**
   * With a negative prompt, by true classifier-free guidance: the velocity is {@code v- + scale (v
   * - v-)}, where {@code v-} is the velocity for the negative prompt. Twice the work per step.
   *
   * @param text what to avoid; may be empty
   * @param scale above 1; 1 would be no effect
   * @return the changed copy
   */
  public ImageRequest withNegativePrompt(String text, double scale) {
    Objects.requireNonNull(text, "negativePrompt");
    checkTrueCfgScale(scale);
    return with(
        draft -> {
          draft.negativePrompt = Optional.of(text);
          draft.trueCfgScale = scale;
        });
  }

  /**
   * With another size.
   *
   * @param newWidthPx width in px, a multiple of 16
   * @param newHeightPx height in px, a multiple of 16
   * @return the changed copy
   */
  public ImageRequest withSize(int newWidthPx, int newHeightPx) {
    checkSize("width", newWidthPx);
    checkSize("height", newHeightPx);
    return with(
        draft -> {
          draft.widthPx = newWidthPx;
          draft.heightPx = newHeightPx;
        });
  }

  /**
   * With another guidance scale, the input of FLUX.1-dev's guidance embedding.
   *
   * @param scale 0 or above; networks without guidance embedding (schnell) ignore it
   * @return the changed copy
   */
  public ImageRequest withGuidance(double scale) {
    Checks.argument(
        scale >= 0 && Double.isFinite(scale), "guidance must be 0 or above, got %s", scale);
    return with(draft -> draft.guidance = scale);
  }

  /**
   * With a seed: the same request makes the same image on the same machine, and starts from the
   * noise of {@code torch.Generator("cpu").manual_seed(seed)}.
   *
   * @param value 0 to 2<sup>63</sup> - 1; like PyTorch's CPU generator, only the low 32 bits make a
   *     difference
   * @return the changed copy
   */
  public ImageRequest withSeed(long value) {
    Checks.argument(
        value >= 0, "seed must be from 0 to %d (2^63 - 1), got %d", Long.MAX_VALUE, value);
    return with(draft -> draft.seed = OptionalLong.of(value));
  }

  /**
   * With another number of images. Image i is the image of the same request with count 1 and seed
   * {@code seed + i}, see {@link #single}.
   *
   * @param images 1 to 10,000; an answer holds them all in memory
   * @return the changed copy
   */
  public ImageRequest withCount(int images) {
    Checks.range("count", images, 1, LARGEST_COUNT);
    return with(draft -> draft.count = images);
  }

  /**
   * With another number of tokens that T5 reads, padding included: 512 for FLUX.1-dev and 256 for
   * FLUX.1-schnell unless given.
   *
   * @param tokens 1 to 4,096
   * @return the changed copy
   */
  public ImageRequest withTextTokens(int tokens) {
    Checks.range("textTokens", tokens, 1, LARGEST_TEXT_TOKENS);
    return with(draft -> draft.textTokens = OptionalInt.of(tokens));
  }

  /**
   * With a sampler: the standard one or the Just-in-Time one, each with its number of steps.
   *
   * @param value the sampler
   * @return the changed copy
   */
  public ImageRequest withSampler(Sampler value) {
    Objects.requireNonNull(value, "sampler");
    return with(draft -> draft.sampler = Optional.of(value));
  }

  /**
   * With a picture to start from, in the size of that picture.
   *
   * @param image its sides are multiples of 16 px
   * @param strength 0 to 1, as {@link StartImage} explains it
   * @return the changed copy
   */
  public ImageRequest withImage(SourceImage image, double strength) {
    checkSize("width of the picture", image.widthPx());
    checkSize("height of the picture", image.heightPx());
    StartImage from = new StartImage(image, strength);
    return with(
        draft -> {
          draft.start = Optional.of(from);
          draft.widthPx = image.widthPx();
          draft.heightPx = image.heightPx();
        });
  }

  /**
   * With a mask: only its white part is drawn, and fades into the rest over 8 px. The rest of the
   * picture stays as it is, pixel by pixel.
   *
   * @param mask of the size of the picture to start from, which is given before
   * @return the changed copy
   */
  public ImageRequest withMask(SourceImage mask) {
    return withMask(new Inpainting(mask, DEFAULT_FEATHER_PX, Inpainting.Context.ALL));
  }

  /**
   * With a mask and its settings.
   *
   * @param value mask, feather and what the network sees of the rest
   * @return the changed copy
   */
  public ImageRequest withMask(Inpainting value) {
    Objects.requireNonNull(value, "inpainting");
    return with(draft -> draft.inpainting = Optional.of(value));
  }

  /**
   * In two passes: drawn at half the size, enlarged, and drawn again at the full size from that
   * picture. Meant for sizes beyond those that the model was trained for, where it is to keep
   * pictures in one piece. At a size that the small model was trained at it gained nothing, and
   * with JiT it cost time and sharpness; FLUX.1 has not been measured: {@code docs/editing.md}.
   *
   * @param strength how much the second pass draws anew, above 0 and at most 1, as for {@link
   *     #withImage}
   * @return the changed copy
   */
  public ImageRequest withSecondPass(double strength) {
    Checks.argument(
        strength > 0 && strength <= 1,
        "the strength of the second pass must be above 0 and at most 1, got %s",
        strength);
    return with(draft -> draft.secondPass = OptionalDouble.of(strength));
  }

  /**
   * With a listener that hears of every step and may cancel. It is no part of what is saved.
   *
   * @param value the listener
   * @return the changed copy
   */
  public ImageRequest withListener(SamplingListener value) {
    Objects.requireNonNull(value, "listener");
    return with(draft -> draft.listener = Optional.of(value));
  }

  /**
   * The request of one image of this one.
   *
   * @param index which image, from 0 to {@link #count()} - 1
   * @return the same request with count 1 and, if there is a seed, that image's seed
   */
  public ImageRequest single(int index) {
    Objects.checkIndex(index, count);
    return with(
        draft -> {
          draft.count = 1;
          if (seed.isPresent()) {
            draft.seed = OptionalLong.of(seed.getAsLong() + index);
          }
        });
  }

  /** {@return what to draw} */
  public String prompt() {
    return prompt;
  }

  /** {@return what to avoid, if anything} */
  public Optional<String> negativePrompt() {
    return negativePrompt;
  }

  /** {@return the scale of true classifier-free guidance; 1 without a negative prompt} */
  public double trueCfgScale() {
    return trueCfgScale;
  }

  /** {@return the width in px, a multiple of 16} */
  public int widthPx() {
    return widthPx;
  }

  /**
   * Returns the grid of latent tokens, one for every 16 x 16 px.
   *
   * @return the grid
   */
  public TokenGrid grid() {
    return new TokenGrid(heightPx / SIZE_STEP_PX, widthPx / SIZE_STEP_PX);
  }

  /** {@return the height in px, a multiple of 16} */
  public int heightPx() {
    return heightPx;
  }

  /** {@return the guidance scale} */
  public double guidance() {
    return guidance;
  }

  /** {@return the seed of the first image; empty if the pipeline is to choose one} */
  public OptionalLong seed() {
    return seed;
  }

  /** {@return the number of images} */
  public int count() {
    return count;
  }

  /** {@return the number of tokens that T5 reads; empty for the model's usual one} */
  public OptionalInt textTokens() {
    return textTokens;
  }

  /** {@return the sampler; empty for the model's usual one} */
  public Optional<Sampler> sampler() {
    return sampler;
  }

  /** {@return the picture to start from; empty to start from noise} */
  public Optional<StartImage> start() {
    return start;
  }

  /** {@return which part of it is drawn; empty if all} */
  public Optional<Inpainting> inpainting() {
    return inpainting;
  }

  /** {@return the strength of the second pass; empty for one pass} */
  public OptionalDouble secondPass() {
    return secondPass;
  }

  /**
   * Returns the first of two passes.
   *
   * @return this request at half its size, rounded up to what sizes may be, in one pass
   */
  public ImageRequest firstPass() {
    return with(
        draft -> {
          draft.secondPass = OptionalDouble.empty();
          draft.widthPx = half(widthPx);
          draft.heightPx = half(heightPx);
        });
  }

  private static int half(int px) {
    return (px / SIZE_STEP_PX + 1) / 2 * SIZE_STEP_PX;
  }

  /**
   * Returns the second of two passes.
   *
   * @param enlarged the picture of the first pass in the size of this request
   * @return this request in one pass, from that picture
   */
  public ImageRequest secondPass(SourceImage enlarged) {
    double strength = secondPass.orElseThrow();
    return with(draft -> draft.secondPass = OptionalDouble.empty()).withImage(enlarged, strength);
  }

  /** {@return the listener, if there is one} */
  public Optional<SamplingListener> listener() {
    return listener;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ImageRequest that && parts().equals(that.parts());
  }

  @Override
  public int hashCode() {
    return parts().hashCode();
  }

  /** Everything that decides the pixels. */
  private List<Object> parts() {
    return List.of(
        prompt,
        negativePrompt,
        trueCfgScale,
        widthPx,
        heightPx,
        guidance,
        seed,
        count,
        textTokens,
        sampler,
        start,
        inpainting,
        secondPass);
  }

  /** {@return the request as the JSON text that PNG files carry} */
  @Override
  public String toString() {
    return RequestJson.write(this).toString();
  }

  private void checkFits(String what, SourceImage image) {
    Checks.argument(
        image.widthPx() == widthPx && image.heightPx() == heightPx,
        "%s has %d x %d px, the request %d x %d px; scale one to the other",
        what,
        image.widthPx(),
        image.heightPx(),
        widthPx,
        heightPx);
  }

  /** Refuses what scales no negative prompt. */
  static void checkTrueCfgScale(double scale) {
    Checks.argument(
        scale > 1 && Double.isFinite(scale),
        "the true CFG scale of a negative prompt must be above 1, got %s",
        scale);
  }

  private static void checkSize(String side, int px) {
    Checks.argument(
        px >= SIZE_STEP_PX && px <= LARGEST_SIZE_PX,
        "%s must be from %d to %d px, got %d",
        side,
        SIZE_STEP_PX,
        LARGEST_SIZE_PX,
        px);
    int below = px - px % SIZE_STEP_PX;
    Checks.argument(
        below == px,
        "%s must be a multiple of %d px, got %d; try %d or %d",
        side,
        SIZE_STEP_PX,
        px,
        below,
        below + SIZE_STEP_PX);
  }

  private ImageRequest with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new ImageRequest(draft);
  }

  private static final class Draft {
    private String prompt;
    private Optional<String> negativePrompt = Optional.empty();
    private double trueCfgScale = 1;
    private int widthPx = DEFAULT_SIZE_PX;
    private int heightPx = DEFAULT_SIZE_PX;
    private double guidance = DEFAULT_GUIDANCE;
    private OptionalLong seed = OptionalLong.empty();
    private int count = 1;
    private OptionalInt textTokens = OptionalInt.empty();
    private Optional<Sampler> sampler = Optional.empty();
    private Optional<StartImage> start = Optional.empty();
    private Optional<Inpainting> inpainting = Optional.empty();
    private OptionalDouble secondPass = OptionalDouble.empty();
    private Optional<SamplingListener> listener = Optional.empty();

    private Draft(String prompt) {
      this.prompt = prompt;
    }

    private Draft(ImageRequest request) {
      prompt = request.prompt;
      negativePrompt = request.negativePrompt;
      trueCfgScale = request.trueCfgScale;
      widthPx = request.widthPx;
      heightPx = request.heightPx;
      guidance = request.guidance;
      seed = request.seed;
      count = request.count;
      textTokens = request.textTokens;
      sampler = request.sampler;
      start = request.start;
      inpainting = request.inpainting;
      secondPass = request.secondPass;
      listener = request.listener;
    }
  }

  /**
   * The picture that a request starts from.
   *
   * @param image the picture
   * @param strength how much of it is drawn anew, 0 to 1: the share of the steps that are taken, as
   *     diffusers counts it. 0 gives the picture back, 1 starts from noise
   */
  public record StartImage(SourceImage image, double strength) {

    /**
     * Checks the strength.
     *
     * @param image any
     * @param strength 0 to 1
     * @throws IllegalArgumentException if the strength is out of range
     */
    public StartImage {
      Objects.requireNonNull(image, "image");
      Checks.argument(
          strength >= 0 && strength <= 1, "strength must be from 0 to 1, got %s", strength);
    }
  }
}
