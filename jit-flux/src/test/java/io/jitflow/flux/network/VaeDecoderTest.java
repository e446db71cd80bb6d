package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.torchscript.TorchScriptArchive;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VaeDecoderTest extends ArrayTest {
  @TempDir Path folder;

  VaeDecoderTest() {
    super(Device.cpu());
  }

  private VaeDecoder decoder() throws IOException {
    Path file = SmallNetworks.write(NetworkProgram.of(SmallNetworks.VAE), folder);
    return VaeDecoder.load(file, Device.cpu(), SmallNetworks.VAE);
  }

  /** A decoder that only enlarges, so that what tiling does can be seen exactly. */
  private VaeDecoder enlarger() throws IOException {
    return enlarger("x");
  }

  /** A decoder that enlarges and then does something to the image {@code x}. */
  private VaeDecoder enlarger(String result) throws IOException {
    String code =
        """
        class Enlarge(Module):
          __parameters__ = []
          __buffers__ = []
          scale : float
          def forward(self: __torch__.enlarge.Enlarge, latent: Tensor) -> Tensor:
            x = torch.upsample_nearest2d(torch.slice(latent, 1, 0, 3), None, [self.scale, self.scale])
            return RESULT
        """
            .replace("RESULT", result);
    ScriptModule root =
        ScriptModule.builder("__torch__.enlarge.Enlarge").number("scale", 4).build();
    Path file = folder.resolve("enlarge.pt");
    TorchScriptArchive.write(file, "enlarge", root, Map.of("enlarge", code), bytes -> {});
    return VaeDecoder.load(file, Device.cpu(), SmallNetworks.VAE);
  }

  @Test
  void decode_tiledModuleWithoutContext_equalsTheWhole() throws IOException {
    NDArray latent = SmallNetworks.noise(manager, 2, 4, 21, 13);
    try (VaeDecoder decoder = enlarger()) {
      NDArray tiled = decoder.decode(latent, new VaeTiling(8, 3));
      // weights of the tiles add up to one within rounding
      Arrays32.assertClose("image", tiled, decoder.decode(latent), 1e-6, 1e-6);
    }
  }

  @Test
  void decode_tiledModuleWithSmallContext_differsAtSeamsOnly() throws IOException {
    NDArray latent = SmallNetworks.noise(manager, 1, 4, 14, 8);
    try (VaeDecoder decoder =
        enlarger("torch.avg_pool2d(x, [5, 5], [1, 1], [2, 2], False, False)")) {
      NDArray whole = decoder.decode(latent);
      NDArray tiled = decoder.decode(latent, new VaeTiling(8, 2));
      // tiles are rows 0..7 and 6..13, blended over image rows 24..31
      NDArray difference = tiled.sub(whole).abs();
      assertThat(difference.get(":, :, :24").max().getFloat()).isLessThan(1e-6f);
      assertThat(difference.get(":, :, 32:").max().getFloat()).isLessThan(1e-6f);
      // two rows at each end of the overlap see padding, with a weight of at most 3/16
      assertThat(difference.get(":, :, 24:32").max().getFloat()).isBetween(1e-3f, 0.3f);
    }
  }

  @Test
  void decode_oneTileCoversAll_isIdentical() throws IOException {
    NDArray latent = SmallNetworks.noise(manager, 1, 4, 8, 6);
    try (VaeDecoder decoder = decoder()) {
      Arrays32.assertIdentical(
          "image", decoder.decode(latent, new VaeTiling(8, 2)), decoder.decode(latent));
    }
  }

  @Test
  void decode_tiledSmoothLatent_isCloseToTheWhole() throws IOException {
    NDArray latent = manager.zeros(new Shape(1, 4, 24, 24)).add(0.3);
    try (VaeDecoder decoder = decoder()) {
      NDArray whole = decoder.decode(latent);
      NDArray tiled = decoder.decode(latent, new VaeTiling(16, 6));
      double spread = whole.max().getFloat() - whole.min().getFloat();
      // group norms and attention see a tile and its zero padding instead of the image: measured
      // 0.25 of the spread at most and 0.02 on average, with these random weights
      Arrays32.assertClose("image", tiled, whole, 0.35 * spread);
      assertThat(tiled.sub(whole).abs().mean().getFloat()).isLessThan((float) (0.03 * spread));
    }
  }

  @Test
  void decode_tiled_leavesOnlyTheImage() throws IOException {
    NDArray latent = SmallNetworks.noise(manager, 1, 4, 12, 12);
    try (VaeDecoder decoder = decoder()) {
      int before = manager.getManagedArrays().size();
      NDArray image = decoder.decode(latent, new VaeTiling(8, 2));
      assertThat(image.getManager()).isSameAs(manager);
      assertThat(image.getShape()).isEqualTo(new Shape(1, 3, 48, 48));
      assertThat(manager.getManagedArrays()).hasSize(before + 1);
    }
  }

  @Test
  void decode_identityPostQuantConv_changesNothing() throws IOException {
    VaeArchitecture plain = SmallNetworks.VAE;
    VaeArchitecture withConv =
        new VaeArchitecture(
            plain.latentChannels(),
            plain.blockChannels(),
            plain.layersPerBlock(),
            plain.normGroups(),
            plain.scalingFactor(),
            plain.shiftFactor(),
            true);
    NetworkProgram program = NetworkProgram.of(withConv);
    Function<String, TensorSource> weights = SmallNetworks.weights(program, tensor -> DType.F32);
    float[] identity = new float[16];
    for (int i = 0; i < 4; i++) {
      identity[5 * i] = 1;
    }
    Path file =
        SmallNetworks.write(
            program,
            folder,
            tensor ->
                switch (tensor) {
                  case "post_quant_conv.weight" -> HeapTensor.of(DType.F32, identity, 4, 4, 1, 1);
                  case "post_quant_conv.bias" -> HeapTensor.of(DType.F32, new float[4], 4);
                  default -> weights.apply(tensor);
                });
    NDArray latent = SmallNetworks.noise(manager, 1, 4, 3, 5);
    try (VaeDecoder decoder = VaeDecoder.load(file, Device.cpu(), withConv);
        VaeDecoder without = decoder()) {
      Arrays32.assertClose("image", decoder.decode(latent), without.decode(latent), 1e-5);
    }
  }

  @Test
  void decode_otherChannels_namesBothShapes() throws IOException {
    try (VaeDecoder decoder = decoder()) {
      assertThatThrownBy(
              () -> decoder.decode(SmallNetworks.noise(manager, 1, 16, 4, 4), new VaeTiling(8, 2)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("VAE decoder: latent must have shape (*, 4, *, *), got (1, 16, 4, 4)");
    }
  }

  @Test
  void decode_afterClose_saysSo() throws IOException {
    VaeDecoder decoder = decoder();
    decoder.close();
    assertThatThrownBy(() -> decoder.decode(SmallNetworks.noise(manager, 1, 4, 4, 4)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the VAE decoder is closed");
  }
}
