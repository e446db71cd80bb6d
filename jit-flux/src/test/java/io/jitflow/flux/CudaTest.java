package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.flux.FluxOptions.Arithmetic;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The whole pipeline on CUDA against the CPU, in float32; docs/CONTRIBUTING.md has the command.
 * libtorch computes float32 products on CUDA without reduced precision unless it is told otherwise.
 */
@Tag("gpu")
class CudaTest {
  /** What the recordings allow an accelerator for one forward pass. */
  private static final double VELOCITY = 2e-4;

  @TempDir static Path scratch;
  private static Path bundle;

  @BeforeAll
  static void convert() throws IOException {
    assertThat(Engine.getEngine("PyTorch").getGpuCount())
        .as("CUDA devices that libtorch finds: none without a GPU, or with its CPU build")
        .isPositive();
    bundle = TinyBundle.dev(scratch);
  }

  /** What a run computed, on the host. */
  private record Run(List<float[]> velocities, BufferedImage image) {}

  private static Run run(Device device, MemoryPolicy memory, Sampler sampler) throws IOException {
    List<float[]> velocities = new ArrayList<>();
    FluxOptions options =
        FluxOptions.defaults()
            .withDevice(device)
            .withMemory(memory)
            .withArithmetic(Arithmetic.FLOAT32);
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, options)) {
      GeneratedImages images =
          pipeline.generate(
              ImageRequest.of("a photo of a small red cat")
                  .withSize(96, 64)
                  .withSeed(42)
                  .withSampler(new Recording(sampler, device, velocities)));
      return new Run(velocities, images.bufferedImage(0));
    }
  }

  @Test
  void firstVelocity_onCuda_isThatOfTheCpu() throws IOException {
    JitSampler jit = JitSampler.preset4x();
    Run cuda = run(Device.gpu(), MemoryPolicy.RESIDENT, jit);
    Run cpu = run(Device.cpu(), MemoryPolicy.RESIDENT, jit);
    assertThat(cuda.velocities()).hasSameSizeAs(cpu.velocities());
    Arrays32.assertClose(
        "velocity", cuda.velocities().get(0), cpu.velocities().get(0), VELOCITY, 0);
  }

  /** Euler steps add up the velocities' differences, with weights that sum to one. */
  @ParameterizedTest
  @EnumSource(
      value = MemoryPolicy.class,
      names = {"RESIDENT", "SEQUENTIAL", "STREAMED"})
  void picture_onCuda_isThatOfTheCpu(MemoryPolicy memory) throws IOException {
    Sampler euler = new EulerSampler(SigmaSchedule.linear(), 4);
    Run cuda = run(Device.gpu(), memory, euler);
    Run cpu = run(Device.cpu(), MemoryPolicy.RESIDENT, euler);
    for (int i = 0; i < cpu.velocities().size(); i++) {
      Arrays32.assertClose(
          "velocity " + i,
          cuda.velocities().get(i),
          cpu.velocities().get(i),
          VELOCITY * (i + 1),
          0);
    }
    for (int y = 0; y < cpu.image().getHeight(); y++) {
      for (int x = 0; x < cpu.image().getWidth(); x++) {
        assertThat(levels(cuda.image().getRGB(x, y), cpu.image().getRGB(x, y)))
            .as("pixel %d, %d", x, y)
            .isLessThan(2);
      }
    }
  }

  private static int levels(int one, int other) {
    int largest = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
      largest = Math.max(largest, Math.abs((one >> shift & 0xff) - (other >> shift & 0xff)));
    }
    return largest;
  }

  /** A sampler that keeps what the network returns, on the device where it must be. */
  private record Recording(Sampler sampler, Device device, List<float[]> velocities)
      implements Sampler {
    @Override
    public NDArray sample(VelocityModel model, SamplingRequest request) {
      return sampler.sample(
          (tokens, at, sigma) -> {
            NDArray velocity = model.velocity(tokens, at, sigma);
            assertThat(velocity.getDevice()).isEqualTo(device);
            velocities.add(velocity.toFloatArray());
            return velocity;
          },
          request);
    }

    @Override
    public int steps() {
      return sampler.steps();
    }

    @Override
    public boolean usesTransitionNoise() {
      return sampler.usesTransitionNoise();
    }
  }
}
