package io.jitflow.flux.fuzz;

import ai.djl.modality.cv.ImageFactory;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.GeneratedImages.PhaseTimings;
import io.jitflow.flux.image.ImageRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;

/** The request in a PNG file that this library saved. */
class RequestFuzzTest extends PictureWithText {
  private static byte[] seed;

  @BeforeAll
  static void save() throws IOException {
    ImageRequest request =
        ImageRequest.of("a red fox")
            .withSize(16, 16)
            .withSeed(7)
            .withSampler(JitSampler.forSpeedup(7));
    Path png = scratch.resolve("saved.png");
    new GeneratedImages(
            List.of(ImageFactory.getInstance().fromImage(picture())),
            request,
            "model",
            new PhaseTimings(
                Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO),
            List.of())
        .save(png);
    seed = Files.readAllBytes(png);
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
