package io.jitflow.examples.bench;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.Inpainting;
import io.jitflow.flux.image.Inpainting.Context;
import io.jitflow.flux.image.SourceImage;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What inpainting costs and gives if the network sees every token of the kept part, or few: squares
 * of three sizes in the middle of pictures that the model drew, drawn anew with the same prompt.
 * Then what two passes cost and give against one.
 *
 * <pre>java -cp jit.jar io.jitflow.examples.bench.EditingBenchmark BUNDLE [SIZE [REPEATS]]</pre>
 */
public final class EditingBenchmark {
  private static final List<String> PROMPTS = List.of("red apple", "soccer ball", "brick");
  private static final double[] SHARES = {0.1, 0.25, 0.5};
  private static final int STEPS = 20;

  private EditingBenchmark() {}

  /**
   * Prints a table.
   *
   * @param args bundle, size in px, repeats
   * @throws IOException if the bundle cannot be loaded
   */
  public static void main(String[] args) throws IOException {
    int size = args.length > 1 ? Integer.parseInt(args[1]) : 512;
    int repeats = args.length > 2 ? Integer.parseInt(args[2]) : 3;
    try (FluxPipeline pipeline = FluxPipeline.load(Path.of(args[0]))) {
      Map<String, Sampler> samplers = new LinkedHashMap<>();
      samplers.put("Euler " + STEPS, new EulerSampler(pipeline.schedule(), STEPS));
      samplers.put("JiT 7x", JitSampler.preset7x());
      List<SourceImage> pictures = new ArrayList<>();
      for (String prompt : PROMPTS) {
        pictures.add(
            SourceImage.of(
                pipeline
                    .generate(
                        ImageRequest.of(prompt)
                            .withSize(size, size)
                            .withSeed(1)
                            .withSampler(samplers.get("Euler " + STEPS)))
                    .bufferedImage(0)));
      }
      System.out.printf(
          Locale.ROOT,
          "| mask | sampler | context | tokens seen | denoise s, median | to the original | to all |%n");
      System.out.println("|---|---|---|---|---|---|---|");
      for (double share : SHARES) {
        SourceImage mask = square(size, share);
        for (Map.Entry<String, Sampler> sampler : samplers.entrySet()) {
          List<int[]> full = new ArrayList<>();
          for (Context context : Context.values()) {
            print(pipeline, pictures, mask, share, sampler, context, repeats, full);
          }
        }
      }
      System.out.printf("%n| %d px | sampler | seconds, median | sharpness |%n", 2 * size);
      System.out.println("|---|---|---|---|");
      for (Map.Entry<String, Sampler> sampler : samplers.entrySet()) {
        for (double strength : new double[] {0, 0.6, 0.8}) {
          printPasses(pipeline, 2 * size, sampler, strength, repeats);
        }
      }
    }
  }

  private static void printPasses(
      FluxPipeline pipeline,
      int size,
      Map.Entry<String, Sampler> sampler,
      double strength,
      int repeats) {
    List<Double> seconds = new ArrayList<>();
    double sharpness = 0;
    for (String prompt : PROMPTS) {
      ImageRequest one =
          ImageRequest.of(prompt).withSize(size, size).withSeed(1).withSampler(sampler.getValue());
      ImageRequest request = strength == 0 ? one : one.withSecondPass(strength);
      for (int i = 0; i < repeats; i++) {
        long start = System.nanoTime();
        GeneratedImages images = pipeline.generate(request);
        seconds.add((System.nanoTime() - start) / 1e9);
        if (i == 0) {
          sharpness += sharpness(pixels(images.bufferedImage(0)), size) / PROMPTS.size();
        }
      }
    }
    Collections.sort(seconds);
    System.out.printf(
        Locale.ROOT,
        "| %s | %s | %.2f | %.2f |%n",
        strength == 0 ? "one pass" : "two passes, strength " + strength,
        sampler.getKey(),
        seconds.get(seconds.size() / 2),
        sharpness);
  }

  /** Mean size of the Laplacian of green, in levels of 255. */
  private static double sharpness(int[] rgb, int width) {
    double sum = 0;
    int count = 0;
    for (int i = width; i < rgb.length - width; i++) {
      if (i % width > 0 && i % width < width - 1) {
        int around = green(rgb[i - 1]) + green(rgb[i + 1]) + green(rgb[i - width]);
        sum += Math.abs(around + green(rgb[i + width]) - 4 * green(rgb[i]));
        count++;
      }
    }
    return sum / count;
  }

  private static int green(int pixel) {
    return pixel >> 8 & 255;
  }

  private static void print(
      FluxPipeline pipeline,
      List<SourceImage> pictures,
      SourceImage mask,
      double share,
      Map.Entry<String, Sampler> sampler,
      Context context,
      int repeats,
      List<int[]> full) {
    Inpainting part = new Inpainting(mask, 0, context);
    List<Double> seconds = new ArrayList<>();
    double toOriginal = 0;
    double toFull = 0;
    for (int p = 0; p < pictures.size(); p++) {
      ImageRequest request =
          ImageRequest.of(PROMPTS.get(p))
              .withSeed(7)
              .withSampler(sampler.getValue())
              .withImage(pictures.get(p), 1)
              .withMask(part);
      GeneratedImages images = pipeline.generate(request);
      for (int i = 0; i < repeats; i++) {
        images = pipeline.generate(request);
        seconds.add(images.timings().denoise().toNanos() / 1e9);
      }
      int[] drawn = pixels(images.bufferedImage(0));
      if (context == Context.ALL) {
        full.add(drawn);
      }
      toOriginal += distance(drawn, pictures.get(p).pixels(), mask.pixels()) / pictures.size();
      toFull += distance(drawn, full.get(p), mask.pixels()) / pictures.size();
    }
    Collections.sort(seconds);
    int seen = 0;
    ImageRequest any = ImageRequest.of("").withImage(pictures.get(0), 1);
    for (boolean token : part.seenTokens(any.grid())) {
      seen += token ? 1 : 0;
    }
    System.out.printf(
        Locale.ROOT,
        "| %.0f %% | %s | %s | %d of %d | %.2f | %.1f | %.1f |%n",
        100 * share,
        sampler.getKey(),
        context.name().toLowerCase(Locale.ROOT),
        seen,
        any.grid().tokens(),
        seconds.get(seconds.size() / 2),
        toOriginal,
        toFull);
  }

  private static SourceImage square(int size, double share) {
    int side = (int) Math.round(size * Math.sqrt(share));
    int from = (size - side) / 2;
    BufferedImage image = new BufferedImage(size, size, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = from; y < from + side; y++) {
      for (int x = from; x < from + side; x++) {
        image.setRGB(x, y, 0xffffff);
      }
    }
    return SourceImage.of(image);
  }

  private static int[] pixels(BufferedImage image) {
    int width = image.getWidth();
    return image.getRGB(0, 0, width, image.getHeight(), null, 0, width);
  }

  /** Root mean square over the white pixels, in levels of 255. */
  private static double distance(int[] a, int[] b, int[] mask) {
    double sum = 0;
    long count = 0;
    for (int i = 0; i < a.length; i++) {
      if ((mask[i] & 255) > 127) {
        for (int shift = 0; shift < 24; shift += 8) {
          int difference = (a[i] >> shift & 255) - (b[i] >> shift & 255);
          sum += difference * difference;
          count++;
        }
      }
    }
    return Math.sqrt(sum / count);
  }
}
