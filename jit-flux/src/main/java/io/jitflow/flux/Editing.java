package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.ImageRequest.StartImage;
import io.jitflow.flux.image.Inpainting;
import io.jitflow.flux.image.SourceImage;
import io.jitflow.flux.network.LatentPacking;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/** Requests that start from a picture: from strength and mask to what the sampler is given. */
final class Editing {
  private static final int LATENT_PX = 8;
  private static final int CELLS_PER_TOKEN = 4;

  private Editing() {}

  /**
   * The first step that is taken, as diffusers computes it.
   *
   * @param strength the share of the steps that are taken, 0 to 1
   * @param steps the number of steps of a whole run
   * @return 0 to {@code steps}; {@code steps} if none is taken
   */
  static int firstStep(double strength, int steps) {
    return (int) Math.max(steps - Math.min(steps * strength, steps), 0);
  }

  /** Whether a request takes no step at all, so that its picture is encoded and decoded only. */
  static boolean takesNoStep(ImageRequest request) {
    int steps = request.sampler().orElseThrow().steps();
    return request.start().map(start -> firstStep(start.strength(), steps) == steps).orElse(false);
  }

  /**
   * Checks that the steps that are left of a run, or of its second pass, suffice for its sampler,
   * and that its pictures are there.
   *
   * @param request with a sampler
   * @param schedule the model's own noise levels
   * @throws IllegalArgumentException if they do not: which strengths work
   * @throws UnsupportedOperationException if the sampler starts from noise only
   * @throws IllegalStateException if a picture has no pixels
   */
  static void check(ImageRequest request, SigmaSchedule schedule) {
    request.start().ifPresent(start -> requirePixels(start.image()));
    request.inpainting().ifPresent(part -> requirePixels(part.mask()));
    Sampler sampler = request.sampler().orElseThrow();
    OptionalDouble strength = request.secondPass();
    if (request.start().isPresent()) {
      strength = OptionalDouble.of(request.start().get().strength());
    }
    if (strength.isPresent()
        && firstStep(strength.getAsDouble(), sampler.steps()) < sampler.steps()) {
      left(sampler, strength.getAsDouble(), schedule, request.grid());
    }
  }

  private static void requirePixels(SourceImage picture) {
    if (!picture.hasPixels()) {
      picture.pixels(); // says which picture to give again
    }
  }

  /**
   * The sampler of a run: the request's own, or what is left of it where a picture is known.
   *
   * @param request with a sampler
   * @param schedule the model's own noise levels: a strength means the same one for every sampler
   *     of the same number of steps
   */
  static Sampler sampler(ImageRequest request, SigmaSchedule schedule) {
    Sampler sampler = request.sampler().orElseThrow();
    return request
        .start()
        .map(start -> left(sampler, start.strength(), schedule, request.grid()))
        .orElse(sampler);
  }

  private static Sampler left(
      Sampler sampler, double strength, SigmaSchedule schedule, TokenGrid grid) {
    int first = firstStep(strength, sampler.steps());
    if (first == 0) {
      return sampler;
    }
    double sigma = schedule.sigmas(sampler.steps(), grid.tokens())[first];
    try {
      return sampler.startingAt(sigma, grid);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "strength %s leaves too few of the sampler's %d steps (%s); %s"
              .formatted(
                  strength, sampler.steps(), e.getMessage(), advice(sampler, schedule, grid)),
          e);
    }
  }

  private static String advice(Sampler sampler, SigmaSchedule schedule, TokenGrid grid) {
    int steps = sampler.steps();
    double[] sigmas = schedule.sigmas(steps, grid.tokens());
    List<String> strengths = new ArrayList<>();
    for (int first = steps - 1; first > 0; first--) {
      try {
        sampler.startingAt(sigmas[first], grid);
        strengths.add(String.format(Locale.ROOT, "%.2f", (double) (steps - first) / steps));
      } catch (IllegalArgumentException e) {
        strengths.clear(); // what works must work for every greater strength too
      }
    }
    return strengths.isEmpty()
        ? "use strength 1, more steps, or the standard sampler"
        : "strengths from "
            + strengths.get(0)
            + " on work, and so do more steps or the standard sampler";
  }

  /** The picture as the encoder takes it: [-1, 1], FLOAT32 [1, 3, height, width]. */
  static NDArray pixels(StartImage start, NDManager owner) {
    int[] rgb = start.image().pixels();
    float[] values = new float[3 * rgb.length];
    for (int i = 0; i < rgb.length; i++) {
      for (int c = 0; c < 3; c++) {
        values[c * rgb.length + i] = (rgb[i] >> (16 - 8 * c) & 255) / 127.5f - 1;
      }
    }
    return owner.create(values, new Shape(1, 3, start.image().heightPx(), start.image().widthPx()));
  }

  /** Adds to a run's request what is known of its picture. */
  static SamplingRequest known(
      SamplingRequest sampling, NDArray clean, ImageRequest request, Sampler sampler) {
    SamplingRequest known = sampling.withKnown(clean);
    if (request.inpainting().isEmpty()) {
      return known;
    }
    Inpainting part = request.inpainting().get();
    known = known.withMask(mask(part, request, clean));
    if (sampler instanceof JitSampler jit) {
      known = known.withAnchors(anchors(jit, part, sampling.grid()));
    }
    return known;
  }

  private static TokenSubset[] anchors(JitSampler jit, Inpainting part, TokenGrid grid) {
    return jit.config().anchors(grid, part.drawnTokens());
  }

  /** 1 at latent pixels with a white pixel, 0 elsewhere, as tokens. */
  private static NDArray mask(Inpainting part, ImageRequest request, NDArray clean) {
    boolean[] drawn = part.drawnCells(LATENT_PX);
    int channels = (int) clean.getShape().get(2) / CELLS_PER_TOKEN;
    float[] values = new float[channels * drawn.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = drawn[i % drawn.length] ? 1 : 0;
    }
    Shape latents =
        new Shape(1, channels, request.heightPx() / LATENT_PX, request.widthPx() / LATENT_PX);
    try (NDArray cells = clean.getManager().create(values, latents)) {
      return LatentPacking.pack(cells);
    }
  }

  /** The model of a run: it need not evaluate what is known already. */
  static VelocityModel model(VelocityModel model, SamplingRequest sampling, ImageRequest request) {
    if (request.inpainting().isEmpty()
        || request.inpainting().get().context() == Inpainting.Context.ALL) {
      return model;
    }
    boolean[] seen = request.inpainting().get().seenTokens(sampling.grid());
    int[] tokens = IntStream.range(0, seen.length).filter(t -> seen[t]).toArray();
    return model.partlyKnown(sampling, TokenSubset.of(sampling.grid(), tokens));
  }

  /** Puts the part that stays back, pixel by pixel. */
  static BufferedImage paste(BufferedImage drawn, ImageRequest request) {
    if (request.inpainting().isEmpty()) {
      return drawn;
    }
    float[] alpha = request.inpainting().get().alpha();
    int[] kept = request.start().orElseThrow().image().pixels();
    int width = drawn.getWidth();
    int[] rgb = drawn.getRGB(0, 0, width, drawn.getHeight(), null, 0, width);
    for (int i = 0; i < rgb.length; i++) {
      int mixed = 0;
      for (int shift = 0; shift < 24; shift += 8) {
        int old = kept[i] >> shift & 255;
        int fresh = rgb[i] >> shift & 255;
        mixed |= Math.round(old + alpha[i] * (fresh - old)) << shift;
      }
      rgb[i] = mixed;
    }
    BufferedImage image = new BufferedImage(width, drawn.getHeight(), BufferedImage.TYPE_INT_RGB);
    image.setRGB(0, 0, width, drawn.getHeight(), rgb, 0, width);
    return image;
  }

  /** A picture in another size, by bicubic interpolation. */
  static SourceImage enlarged(BufferedImage small, int widthPx, int heightPx) {
    BufferedImage large = new BufferedImage(widthPx, heightPx, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = large.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
      graphics.drawImage(small, 0, 0, widthPx, heightPx, null);
    } finally {
      graphics.dispose();
    }
    return SourceImage.of(large);
  }
}
