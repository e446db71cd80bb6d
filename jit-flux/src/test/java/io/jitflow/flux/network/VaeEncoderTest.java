package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TorchScriptArchive;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VaeEncoderTest extends ArrayTest {
  @TempDir Path folder;

  VaeEncoderTest() {
    super(Device.cpu());
  }

  /** An encoder that only averages squares of px, so that what tiling does can be seen exactly. */
  private VaeEncoder averager() throws IOException {
    String code =
        """
        class Average(Module):
          __parameters__ = []
          __buffers__ = []
          side : int
          def forward(self: __torch__.average.Average, image: Tensor) -> Tensor:
            sides = [self.side, self.side]
            x = torch.avg_pool2d(image, sides, sides, [0, 0], False, True)
            return torch.slice(torch.cat([x, x, x], 1), 1, 0, 8)
        """;
    ScriptModule root =
        ScriptModule.builder("__torch__.average.Average").integer("side", 4).build();
    Path file = folder.resolve("average.pt");
    TorchScriptArchive.write(file, "average", root, Map.of("average", code), bytes -> {});
    return VaeEncoder.load(file, Device.cpu(), SmallNetworks.VAE);
  }

  @Test
  void encode_tiledModuleWithoutContext_equalsTheWhole() throws IOException {
    NDArray image = SmallNetworks.noise(manager, 2, 3, 4 * 21, 4 * 13);
    try (VaeEncoder encoder = averager()) {
      NDArray whole = encoder.encode(image);
      assertThat(whole.getShape()).isEqualTo(new Shape(2, 4, 21, 13));
      // weights of the tiles add up to one within rounding
      Arrays32.assertClose(
          "latents", encoder.encode(image, new VaeTiling(8, 3)), whole, 1e-6, 1e-6);
    }
  }

  @Test
  void encode_tiled_leavesOnlyTheLatents() throws IOException {
    NDArray image = SmallNetworks.noise(manager, 1, 3, 48, 48);
    try (VaeEncoder encoder = averager()) {
      int before = manager.getManagedArrays().size();
      NDArray latents = encoder.encode(image, new VaeTiling(8, 2));
      assertThat(latents.getManager()).isSameAs(manager);
      assertThat(manager.getManagedArrays()).hasSize(before + 1);
    }
  }

  @Test
  void encode_sidesThatAreNoMultiples_areRefused() throws IOException {
    try (VaeEncoder encoder = averager()) {
      assertThatThrownBy(
              () -> encoder.encode(SmallNetworks.noise(manager, 1, 3, 48, 50), new VaeTiling(8, 2)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("must be multiples of 4, got (1, 3, 48, 50)");
    }
  }
}
