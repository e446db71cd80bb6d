package io.jitflow.examples.bench;

import ai.djl.Device;
import io.jitflow.core.EulerSampler;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What narrower weights cost a small model: pictures of two bundles of it at the same seeds, by
 * their distance from each other and by how many are recognised.
 */
public final class PrecisionStudy {
  private static final int SIZE_PX = 256;
  private static final int STEPS = 20;

  private PrecisionStudy() {}

  /**
   * Runs the study.
   *
   * @param arguments the reference bundle, the other bundle, names, references, number of prompts
   * @throws IOException if something cannot be read
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 5) {
      throw new IllegalArgumentException("expected: BUNDLE BUNDLE NAMES REFERENCES COUNT");
    }
    PictureSet set = PictureSet.read(Path.of(arguments[2]), Path.of(arguments[3]));
    run(
        System.out,
        Path.of(arguments[0]),
        Path.of(arguments[1]),
        set,
        Integer.parseInt(arguments[4]));
  }

  /** Prints the PSNR of each pair and, at the end, the summary. */
  static void run(PrintStream out, Path reference, Path other, PictureSet set, int count)
      throws IOException {
    FluxOptions options = FluxOptions.defaults().withDevice(Device.cpu());
    List<Double> psnr = new ArrayList<>();
    int recognised = 0;
    int recognisedOther = 0;
    double squares = 0;
    try (FluxPipeline a = FluxPipeline.load(reference, options);
        FluxPipeline b = FluxPipeline.load(other, options)) {
      List<Integer> chosen = set.evenly(count);
      for (int k = 0; k < chosen.size(); k++) {
        int name = chosen.get(k);
        ImageRequest request =
            ImageRequest.of(set.names().get(name))
                .withSize(SIZE_PX, SIZE_PX)
                .withSeed(k)
                .withSampler(new EulerSampler(a.schedule(), STEPS));
        BufferedImage first = picture(a, request);
        BufferedImage second = picture(b, request);
        recognised += set.recognises(Thumbnail.of(first), name) ? 1 : 0;
        recognisedOther += set.recognises(Thumbnail.of(second), name) ? 1 : 0;
        double mean = PictureMetrics.meanSquaredError(first, second);
        squares += mean;
        psnr.add(PictureMetrics.psnr(mean));
      }
      out.printf(
          "%d prompts: PSNR %.1f dB of the mean square, median %.1f, smallest %.1f; recognised %d"
              + " and %d%n",
          chosen.size(),
          PictureMetrics.psnr(squares / chosen.size()),
          Amounts.median(psnr),
          psnr.stream().mapToDouble(Double::doubleValue).min().orElseThrow(),
          recognised,
          recognisedOther);
    }
  }

  private static BufferedImage picture(FluxPipeline pipeline, ImageRequest request) {
    return (BufferedImage) pipeline.generate(request).images().get(0).getWrappedImage();
  }
}
