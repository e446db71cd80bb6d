package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.flux.FluxOptions.Arithmetic;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.SourceImage;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Bundles of fewer bits, computed in float32 wherever their weights lie, against float32's. */
class NarrowWeightsTest {
  private static final ImageRequest REQUEST =
      ImageRequest.of("a small red cat")
          .withSize(64, 96)
          .withSeed(7)
          .withSampler(new EulerSampler(SigmaSchedule.linear(), 2));

  @TempDir static Path scratch;
  private static int[] wide;
  private static double otherSeed;

  @BeforeAll
  static void drawInFloat32() throws IOException {
    Path bundle = TinyBundle.dev(scratch);
    wide = pixels(bundle, MemoryPolicy.RESIDENT, REQUEST);
    otherSeed = distance(pixels(bundle, MemoryPolicy.RESIDENT, REQUEST.withSeed(8)), wide);
  }

  private static int[] pixels(Path bundle, MemoryPolicy memory, ImageRequest request)
      throws IOException {
    FluxOptions options =
        FluxOptions.defaults()
            .withDevice(Device.cpu())
            .withMemory(memory)
            .withArithmetic(Arithmetic.FLOAT32);
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, options)) {
      return SourceImage.of(pipeline.generate(request).bufferedImage(0)).pixels();
    }
  }

  /** The mean difference of a channel, in 8-bit levels. */
  private static double distance(int[] a, int[] b) {
    long sum = 0;
    for (int i = 0; i < a.length; i++) {
      for (int shift = 0; shift < 24; shift += 8) {
        sum += Math.abs((a[i] >> shift & 255) - (b[i] >> shift & 255));
      }
    }
    return (double) sum / (3 * a.length);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"BF16", "F16", "I8"})
  void generate_withAnyMemoryPolicy_givesTheSamePixelsCloseToThoseOfFloat32(DType dtype)
      throws IOException {
    Path bundle = TinyBundle.dev(scratch, dtype);
    int[] resident = pixels(bundle, MemoryPolicy.RESIDENT, REQUEST);
    for (MemoryPolicy memory : MemoryPolicy.values()) {
      assertThat(pixels(bundle, memory, REQUEST)).as(memory.name()).isEqualTo(resident);
    }
    assertThat(distance(resident, wide)).isLessThan(otherSeed / 4);
  }
}
