package io.jitflow.flux.fuzz;

import ai.djl.modality.cv.ImageFactory;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.GeneratedImages.PhaseTimings;
import io.jitflow.flux.image.ImageOrigin;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;

/** The request in a PNG file that this library saved. */
class RequestFuzzTest extends ForeignFile {
  private static byte[] seed;

  @BeforeAll
  static void save() throws IOException {
    BufferedImage picture = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
    ImageRequest request =
        ImageRequest.of("a red fox")
            .withSize(16, 16)
            .withSeed(7)
            .withSampler(JitSampler.forSpeedup(7));
    Path png = scratch.resolve("saved.png");
    new GeneratedImages(
            List.of(ImageFactory.getInstance().fromImage(picture)),
            request,
            "model",
            new PhaseTimings(
                Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO),
            List.of())
        .save(png);
    seed = Files.readAllBytes(png);
  }

  @Override
  Path file() {
    return scratch.resolve("fox.png");
  }

  @Override
  void read() throws IOException {
    ImageOrigin.read(file());
  }

  @Override
  byte[] whole() throws IOException {
    return seed.clone();
  }

  @Override
  int head() {
    return 1000;
  }
}
