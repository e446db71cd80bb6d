package io.jitflow.examples;

import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Text to image from code: load a bundle once, then one request per image.
 *
 * <p>Run it with a bundle folder, which {@code jit convert} makes from a downloaded checkpoint, and
 * a prompt.
 */
public final class TextToImage {

  private TextToImage() {}

  /**
   * Saves {@code image.png} in the current folder.
   *
   * @param args the bundle folder and the prompt
   * @throws IOException if the bundle cannot be read or the image cannot be written
   */
  public static void main(String[] args) throws IOException {
    Path bundle = Path.of(args[0]);
    String prompt = args[1];

    try (FluxPipeline flux = FluxPipeline.load(bundle)) {
      ImageRequest request =
          ImageRequest.of(prompt)
              .withSize(1024, 1024)
              .withSeed(42)
              .withSampler(JitSampler.forSpeedup(7)) // leave it out for the standard sampler
              .withListener(
                  step -> System.out.printf("step %d of %d%n", step.step() + 1, step.steps()));

      GeneratedImages images = flux.generate(request);

      images.save(Path.of("image.png"));
      System.out.println("took " + images.timings().total().toSeconds() + " s");
    }
  }
}
