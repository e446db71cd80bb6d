package io.jitflow.examples.plain;

import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.ImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** One picture through the plain interface: the measure for the other programs. */
public final class PlainImages {

  private PlainImages() {}

  /**
   * Draws 256 x 256 px with seed 1.
   *
   * @param args the bundle folder, the prompt, the PNG file to write
   * @throws IOException if the bundle cannot be read or the file cannot be written
   */
  public static void main(String[] args) throws IOException {
    Files.write(Path.of(args[2]), png(Path.of(args[0]), args[1]));
  }

  /**
   * The picture that every program here draws.
   *
   * @param bundle the bundle folder
   * @param prompt what to draw
   * @return a PNG file
   * @throws IOException if the bundle cannot be read
   */
  public static byte[] png(Path bundle, String prompt) throws IOException {
    try (FluxPipeline flux = FluxPipeline.load(bundle)) {
      return flux.generate(
              ImageRequest.of(prompt)
                  .withSize(256, 256)
                  .withSeed(1)
                  .withSampler(JitSampler.forSpeedup(7)))
          .toPng(0);
    }
  }
}
