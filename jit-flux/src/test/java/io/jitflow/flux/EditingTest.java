package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.CancellableListener;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.PipelineListener.Phase;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.Inpainting;
import io.jitflow.flux.image.PreviewListener;
import io.jitflow.flux.image.SourceImage;
import io.jitflow.flux.network.LatentPacking;
import io.jitflow.flux.network.VaeEncoder;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests that start from a picture, on small random networks. */
class EditingTest {
  private static final int WIDTH = 96;
  private static final int HEIGHT = 128;
  private static final SourceImage MASK = mask(32, 32, 80, 100);

  @TempDir static Path scratch;
  private static FluxPipeline pipeline;

  @BeforeAll
  static void load() throws IOException {
    pipeline =
        FluxPipeline.load(TinyBundle.dev(scratch), FluxOptions.defaults().withDevice(Device.cpu()));
  }

  @AfterAll
  static void close() {
    pipeline.close();
  }

  private static SourceImage picture(long seed) {
    Random random = new Random(seed);
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        image.setRGB(x, y, (2 * x) << 16 | (y + 50) << 8 | random.nextInt(256));
      }
    }
    return SourceImage.of(image);
  }

  /** White in a rectangle. */
  private static SourceImage mask(int left, int top, int right, int bottom) {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        image.setRGB(x, y, 0xffffff);
      }
    }
    return SourceImage.of(image);
  }

  private static ImageRequest request(Sampler sampler, double strength) {
    return ImageRequest.of("a red fox")
        .withSeed(4)
        .withSampler(sampler)
        .withImage(picture(1), strength);
  }

  private static Sampler euler(int steps) {
    return new EulerSampler(SigmaSchedule.linear(), steps);
  }

  /** The method's samplers and those of second order, which have to work with all that is here. */
  static Stream<Sampler> samplers() {
    return Stream.of(
        euler(6),
        new PlainSampler(SigmaSchedule.linear(), 5, Solver.ADAMS_BASHFORTH_2),
        JitSampler.preset4x(),
        JitSampler.preset7x(),
        JitSampler.forSpeedup(4),
        JitSampler.forSpeedup(7),
        JitSampler.forSpeedup(10));
  }

  private static List<Double> sigmas(ImageRequest request) {
    List<Double> sigmas = new ArrayList<>();
    pipeline.generate(request.withListener(step -> sigmas.add(step.sigma())));
    return sigmas;
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void generate_strengths_startAtTheModelsOwnLevelsWithEverySampler(Sampler sampler) {
    double[] own = pipeline.schedule().sigmas(sampler.steps(), HEIGHT / 16 * (WIDTH / 16));
    Set<SourceImage> results = new HashSet<>();
    double[] strengths = strengths(sampler);
    for (double strength : strengths) {
      List<Double> sigmas = new ArrayList<>();
      Set<Integer> stages = new HashSet<>();
      ImageRequest request = request(sampler, strength);
      BufferedImage drawn =
          pipeline
              .generate(
                  request.withListener(
                      step -> {
                        sigmas.add(step.sigma());
                        stages.add(step.stages() - step.stage());
                      }))
              .bufferedImage(0);
      int first = Editing.firstStep(strength, sampler.steps());
      assertThat(sigmas.get(0)).isCloseTo(first == 0 ? 1 : own[first], within(1e-12));
      assertThat(sigmas).isSortedAccordingTo((a, b) -> Double.compare(b, a));
      assertThat(stages)
          .hasSize(sampler instanceof JitSampler jit ? jit.config().stages().size() : 1)
          .contains(1);
      results.add(SourceImage.of(drawn));
    }
    assertThat(results).hasSize(strengths.length);
  }

  /** Strengths below 1 leave at most 5 of 7 steps, too few for these 4 stages. */
  private static double[] strengths(Sampler sampler) {
    if (sampler.equals(JitSampler.forSpeedup(10))) {
      assertThatThrownBy(() -> pipeline.generate(request(sampler, 0.6)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("4 steps are split")
          .hasMessageContaining("use strength 1, more steps, or the standard sampler");
      return new double[] {1};
    }
    return new double[] {0.6, 0.8, 1};
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void generate_previews_areThoseOfEveryStep(Sampler sampler) {
    List<BufferedImage> previews = new ArrayList<>();
    PreviewListener listener = (step, preview) -> previews.add(preview);
    BufferedImage drawn =
        pipeline
            .generate(request(sampler, 1).withMask(MASK).withListener(listener))
            .bufferedImage(0);
    assertThat(drawn.getWidth()).isEqualTo(WIDTH);
    assertThat(previews).hasSize(sampler.steps());
    assertThat(previews.get(0).getWidth()).isEqualTo(WIDTH / 8);
    assertThat(previews.get(0).getHeight()).isEqualTo(HEIGHT / 8);
    assertThat(SourceImage.of(previews.get(0)))
        .isNotEqualTo(SourceImage.of(previews.get(previews.size() - 1)));
  }

  @Test
  void generate_wrappedPreviewListener_hearsThePreviewsItWants() throws IOException {
    List<Integer> all = new ArrayList<>();
    List<Integer> some = new ArrayList<>();
    List<Integer> steps = new ArrayList<>();
    PreviewListener every = (step, preview) -> all.add(step);
    PreviewListener second =
        new PreviewListener() {
          @Override
          public void onPreview(int step, BufferedImage preview) {
            some.add(step);
          }

          @Override
          public boolean wantsEstimate(int step) {
            return step == 1;
          }
        };
    SamplingListener recording = step -> steps.add(step.step());
    ImageRequest request =
        request(euler(3), 1)
            .withListener(
                new CancellableListener(
                    recording.andThen(new CancellableListener(every)).andThen(second)));
    pipeline.generate(request);
    assertThat(all).containsExactly(0, 1, 2);
    assertThat(some).containsExactly(1);
    assertThat(steps).containsExactly(0, 1, 2);
    try (FluxPool pool =
        FluxPool.load(TinyBundle.dev(scratch), FluxOptions.defaults().withDevice(Device.cpu()))) {
      pool.generate(request);
    }
    assertThat(all).containsExactly(0, 1, 2, 0, 1, 2);
  }

  /** Wants what it is asked for the first time only, as one that goes by the clock does. */
  private static final class Once implements PreviewListener {
    private final List<Integer> asked = new ArrayList<>();
    private final List<Integer> seen = new ArrayList<>();

    @Override
    public void onPreview(int step, BufferedImage preview) {
      seen.add(step);
    }

    @Override
    public boolean wantsEstimate(int step) {
      boolean first = !asked.contains(step);
      asked.add(step);
      return first;
    }
  }

  /** A listener of another library: it answers for the one that it wraps. */
  private record Foreign(SamplingListener inner) implements SamplingListener {
    @Override
    public void onStep(SamplingStep step) {
      inner.onStep(step);
    }

    @Override
    public boolean wantsEstimate(int step) {
      return inner.wantsEstimate(step);
    }

    @Override
    public void onEstimate(int step, NDArray estimate) {
      inner.onEstimate(step, estimate);
    }

    @Override
    public List<SamplingListener> delegates() {
      return List.of(inner);
    }
  }

  @Test
  void generate_previewListenerThatGoesByTheClock_hearsWhatItWanted() {
    Once known = new Once();
    SamplingListener pair = known.andThen(SamplingListener.none());
    pipeline.generate(request(euler(3), 1).withListener(new CancellableListener(pair)));
    assertThat(known.asked).containsExactly(0, 1, 2);
    assertThat(known.seen).containsExactly(0, 1, 2);
    Once hidden = new Once();
    pipeline.generate(request(euler(3), 1).withListener(new Foreign(hidden)));
    assertThat(hidden.seen).containsExactly(0, 1, 2);
  }

  @Test
  void fit_picture_isCloserThanItsMeanColour() throws IOException {
    FluxBundle bundle = FluxBundle.read(pipeline.bundle());
    try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
        VaeEncoder encoder =
            VaeEncoder.load(bundle.requireVaeEncoder(), Device.cpu(), bundle.vaeDecoder());
        LatentColours colours = LatentColours.fit(encoder, manager)) {
      SourceImage picture = blocks();
      NDArray pixels =
          Editing.pixels(request(euler(1), 1).withImage(picture, 1).start().orElseThrow(), manager);
      BufferedImage preview =
          colours.picture(
              LatentPacking.pack(encoder.encode(pixels)), new TokenGrid(HEIGHT / 16, WIDTH / 16));
      double[] error = new double[2];
      int[] rgb = picture.pixels();
      for (int y = 0; y < preview.getHeight(); y++) {
        for (int x = 0; x < preview.getWidth(); x++) {
          int truth = rgb[8 * y * WIDTH + 8 * x];
          for (int shift = 0; shift < 24; shift += 8) {
            int level = truth >> shift & 255;
            error[0] += Math.pow((preview.getRGB(x, y) >> shift & 255) - level, 2);
            error[1] += Math.pow(128 - level, 2);
          }
        }
      }
      assertThat(error[0] / error[1]).isLessThan(0.9);
    }
  }

  /** Squares of 32 px in several colours. */
  private static SourceImage blocks() {
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
      int block = i / WIDTH / 32 * 3 + i % WIDTH / 32;
      image.setRGB(i % WIDTH, i / WIDTH, block * 0x2f5a91 & 0xffffff);
    }
    return SourceImage.of(image);
  }

  /**
   * By the formula of diffusers (FluxImg2ImgPipeline.get_timesteps): steps, strength, steps left.
   */
  @ParameterizedTest
  @CsvSource({
    "28, 0.6, 17",
    "50, 0.75, 38",
    "10, 0.99, 10",
    "10, 0.05, 1",
    "4, 0.3, 2",
    "28, 1, 28",
    "11, 0.6, 7",
    "50, 0.01, 1"
  })
  void generate_strength_takesAsManyStepsAsDiffusers(int steps, double strength, int left) {
    List<Double> sigmas = sigmas(request(new EulerSampler(pipeline.schedule(), steps), strength));
    assertThat(sigmas).hasSize(left);
    double[] whole = pipeline.schedule().sigmas(steps, HEIGHT / 16 * (WIDTH / 16));
    assertThat(sigmas.get(0)).isCloseTo(left == steps ? 1.0 : whole[steps - left], within(1e-12));
  }

  @Test
  void generate_strengthZero_isThePictureThroughTheAutoencoder() {
    GeneratedImages images = pipeline.generate(request(euler(4), 0));
    assertThat(images.bufferedImage(0).getWidth()).isEqualTo(WIDTH);
    assertThat(sigmas(request(euler(4), 0))).isEmpty();
    assertThat(images.timings().encode()).isPositive();
    assertThat(images.timings().decode()).isPositive();
  }

  @Test
  void generate_jit_runsItsStagesOnTheStepsThatAreLeft() {
    List<Integer> stages = new ArrayList<>();
    pipeline.generate(
        request(JitSampler.preset7x(), 0.8).withListener(step -> stages.add(step.stage())));
    assertThat(stages).contains(0, 1, 2).hasSizeLessThan(11);
  }

  @Test
  void generate_strengthThatLeavesAStageEmpty_saysWhichStrengthsWork() {
    ImageRequest twice =
        ImageRequest.of("").withSize(64, 64).withSampler(JitSampler.preset7x()).withSecondPass(0.1);
    assertThatThrownBy(() -> FluxPipeline.check(pipeline.bundle(), pipeline.options(), twice))
        .hasMessageContaining("strength 0.1 leaves too few of the sampler's 11 steps");
    assertThatThrownBy(() -> pipeline.generate(request(JitSampler.preset7x(), 0.1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("strength 0.1 leaves too few of the sampler's 11 steps")
        .hasMessageContaining("strengths from 0.")
        .hasMessageContaining(" on work");
  }

  @ParameterizedTest
  @EnumSource(Inpainting.Context.class)
  void generate_mask_keepsTheRestPixelByPixel(Inpainting.Context context) {
    for (Sampler sampler : samplers().toList()) {
      ImageRequest request =
          request(sampler, 1).withMask(new Inpainting(mask(32, 32, 80, 100), 4, context));
      BufferedImage drawn = pipeline.generate(request).bufferedImage(0);
      int[] kept = picture(1).pixels();
      int changed = 0;
      for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
          int now = drawn.getRGB(x, y) & 0xffffff;
          if (x < 32 || x >= 80 || y < 32 || y >= 100) {
            assertThat(now).isEqualTo(kept[y * WIDTH + x]);
          } else {
            changed += now == kept[y * WIDTH + x] ? 0 : 1;
          }
        }
      }
      assertThat(changed).isGreaterThan(48 * 68 / 2);
    }
  }

  @Test
  void generate_sparseContext_drawsTheMaskOtherwiseThanWithAll() {
    Set<SourceImage> drawn = new HashSet<>();
    for (Inpainting.Context context : Inpainting.Context.values()) {
      // one token of 48, and little text beside them: what it sees of the others matters
      ImageRequest request =
          request(euler(4), 1)
              .withTextTokens(8)
              .withMask(new Inpainting(mask(48, 48, 64, 64), 0, context));
      BufferedImage image = pipeline.generate(request).bufferedImage(0);
      drawn.add(SourceImage.of(image.getSubimage(48, 48, 16, 16)));
    }
    assertThat(drawn).hasSize(2);
  }

  @Test
  void alpha_feather_risesInsideTheWhitePart() {
    float[] alpha = new Inpainting(mask(32, 32, 80, 100), 3, Inpainting.Context.ALL).alpha();
    int row = 60 * WIDTH;
    assertThat(alpha[row + 31]).isZero();
    assertThat(alpha[row + 32]).isEqualTo(0.25f);
    assertThat(alpha[row + 34]).isEqualTo(0.75f);
    assertThat(alpha[row + 35]).isEqualTo(1f);
    assertThat(alpha[row + 79]).isEqualTo(0.25f);
    assertThat(alpha[32 * WIDTH + 50]).isEqualTo(0.25f);
    assertThat(alpha[99 * WIDTH + 50]).isEqualTo(0.25f);
  }

  @Test
  void generate_requestReadBack_needsItsPicturesAgain() throws IOException {
    ImageRequest request = request(euler(2), 0.5).withMask(mask(0, 0, 40, 40));
    GeneratedImages images = pipeline.generate(request);
    Path file = images.save(scratch.resolve("edited.png")).get(0);
    ImageRequest back = ImageRequest.fromPng(file);
    assertThat(back).isEqualTo(images.request());
    assertThatThrownBy(() -> pipeline.generate(back))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(picture(1).sha256());
    assertThatThrownBy(() -> FluxPipeline.check(pipeline.bundle(), pipeline.options(), back))
        .hasMessageContaining(picture(1).sha256());
    ImageRequest withoutMask = back.withImage(picture(1), 0.5);
    assertThatThrownBy(() -> FluxPipeline.check(pipeline.bundle(), pipeline.options(), withoutMask))
        .hasMessageContaining(mask(0, 0, 40, 40).sha256());
    GeneratedImages again =
        pipeline.generate(
            back.withImage(picture(1), back.start().orElseThrow().strength())
                .withMask(mask(0, 0, 40, 40)));
    assertThat(again.toPng(0)).isEqualTo(images.toPng(0));
  }

  @Test
  void generate_twoPasses_areTheFirstEnlargedAndDrawnAgain() throws IOException {
    ImageRequest request =
        ImageRequest.of("a red fox")
            .withSize(80, 64)
            .withSeed(3)
            .withCount(2)
            .withSampler(euler(4))
            .withSecondPass(0.5);
    GeneratedImages both = pipeline.generate(request);
    assertThat(both.request())
        .isEqualTo(request.withTextTokens(both.request().textTokens().orElseThrow()));
    BufferedImage small = pipeline.generate(request.single(1).firstPass()).bufferedImage(0);
    assertThat(small.getWidth()).isEqualTo(48);
    SourceImage enlarged = Editing.enlarged(small, 80, 64);
    BufferedImage second =
        pipeline.generate(request.single(1).secondPass(enlarged)).bufferedImage(0);
    assertThat(SourceImage.of(both.bufferedImage(1))).isEqualTo(SourceImage.of(second));
    Path file = both.save(scratch.resolve("large.png")).get(0);
    assertThat(ImageRequest.fromPng(file)).isEqualTo(both.request().single(0));
    assertThatThrownBy(() -> request(euler(4), 0.5).withSecondPass(0.5))
        .hasMessageContaining("either them or a picture");
  }

  @Test
  void generate_residentNetworks_readTheEncoderOnce() throws IOException {
    Path bundle = TinyBundle.dev(scratch);
    FluxOptions options =
        FluxOptions.defaults().withDevice(Device.cpu()).withMemory(MemoryPolicy.RESIDENT);
    try (FluxPipeline resident = FluxPipeline.load(bundle, options)) {
      resident.generate(request(euler(1), 1));
      Files.writeString(bundle.resolve("vae_encoder.pt"), "no archive");
      assertThat(resident.generate(request(euler(1), 1)).images()).hasSize(1);
    }
  }

  @Test
  void generate_twoPassesOfSeveralImages_readTheEncoderOnce() throws IOException {
    Path bundle = TinyBundle.dev(scratch);
    FluxOptions options =
        FluxOptions.defaults().withDevice(Device.cpu()).withMemory(MemoryPolicy.SEQUENTIAL);
    int[] denoised = new int[1];
    PipelineListener damaging =
        activity -> {
          if (activity.phase() == Phase.DENOISE && ++denoised[0] == 3) {
            damage(bundle.resolve("vae_encoder.pt")); // in the second pass of the first image
          }
        };
    try (FluxPipeline sequential = FluxPipeline.load(bundle, options, damaging)) {
      ImageRequest twice =
          ImageRequest.of("x")
              .withSize(64, 64)
              .withCount(2)
              .withSampler(euler(2))
              .withSecondPass(0.5);
      assertThat(sequential.generate(twice).images()).hasSize(2);
      assertThatThrownBy(() -> sequential.generate(twice))
          .as("freed with the request")
          .isInstanceOf(UncheckedIOException.class);
    }
  }

  private static void damage(Path file) {
    try {
      Files.writeString(file, "no archive");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void generate_bundleWithoutEncoder_saysSo() throws IOException {
    Path bundle = TinyBundle.dev(scratch);
    Files.delete(bundle.resolve("vae_encoder.pt"));
    FluxBundle.read(bundle).writeManifest();
    try (FluxPipeline without =
        FluxPipeline.load(bundle, FluxOptions.defaults().withDevice(Device.cpu()))) {
      assertThatThrownBy(() -> without.generate(request(euler(2), 0.5)))
          .hasRootCauseInstanceOf(IOException.class)
          .hasMessageContaining("convert the checkpoint again");
      ImageRequest plain = ImageRequest.of("x").withSize(32, 32).withSampler(euler(1));
      assertThat(without.generate(plain)).isNotNull();
      PreviewListener previews = (step, preview) -> {};
      for (ImageRequest needsIt :
          List.of(
              request(euler(2), 0.5), plain.withSecondPass(0.5), plain.withListener(previews))) {
        assertThatThrownBy(() -> FluxPipeline.check(bundle, FluxOptions.defaults(), needsIt))
            .as("told before a prompt is encoded")
            .hasMessageContaining("vae_encoder.pt: expected the encoder, which ")
            .hasMessageContaining("convert the checkpoint again");
      }
    }
  }
}
