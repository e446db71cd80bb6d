package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.naming.TensorExpression;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TensorMappingTest {
  @TempDir Path folder;

  private static byte[] bytes(TensorSource source) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    source.writeTo(Channels.newChannel(out));
    return out.toByteArray();
  }

  private static void assertSameTensors(NetworkPlan a, NetworkPlan b) throws IOException {
    assertThat(a.architecture()).isEqualTo(b.architecture());
    for (DType dtype : List.of(DType.F32, DType.BF16)) {
      for (String name : a.mapping().expressions().keySet()) {
        assertThat(bytes(a.mapping().source(name, dtype)))
            .as("%s as %s", name, dtype)
            .isEqualTo(bytes(b.mapping().source(name, dtype)));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dev", "schnell"})
  void source_transformerInBothLayouts_isTheSameBitForBit(String variant) throws IOException {
    Path set = TinyCheckpoint.parity("flux-tiny-transformer").resolve(variant);
    Optional<ConfigFile> config =
        Optional.of(ConfigFile.read(set.resolve("transformer/config.json")));
    try (TensorFiles original = TensorFiles.open(set.resolve("bfl.safetensors"));
        TensorFiles diffusers = TensorFiles.open(set.resolve("transformer"))) {
      NetworkPlan a =
          ArchitectureReader.transformer(original, Optional.empty(), Optional.of(List.of(4, 6, 6)));
      NetworkPlan b = ArchitectureReader.transformer(diffusers, config, Optional.empty());
      assertThat(a.mapping().layout()).isEqualTo("original");
      assertThat(b.mapping().layout()).isEqualTo("diffusers");
      assertSameTensors(a, b);
    }
  }

  @Test
  void source_autoencoderInBothLayouts_isTheSameBitForBit() throws IOException {
    Path set = TinyCheckpoint.parity("flux-tiny-vae/tiny");
    Optional<ConfigFile> config = Optional.of(ConfigFile.read(set.resolve("vae/config.json")));
    try (TensorFiles original = TensorFiles.open(set.resolve("bfl-ae.safetensors"));
        TensorFiles diffusers = TensorFiles.open(set.resolve("vae"))) {
      assertSameTensors(
          ArchitectureReader.vaeDecoder(original, Optional.empty()),
          ArchitectureReader.vaeDecoder(diffusers, config));
    }
  }

  @Test
  void source_originalTensorInItsType_isTheFilesBytes() throws IOException {
    Path file = TinyCheckpoint.parity("flux-tiny-transformer/schnell/bfl.safetensors");
    try (TensorFiles files = TensorFiles.open(file)) {
      NetworkPlan plan =
          ArchitectureReader.transformer(files, Optional.empty(), Optional.of(List.of(4, 6, 6)));
      String name = "single_blocks.1.linear1.weight";
      TensorSource source = plan.mapping().source(name, DType.BF16);
      byte[] all = Files.readAllBytes(file);
      assertThat(source.shape()).containsExactly(3 * 32 + 128, 32);
      assertThat(bytes(source))
          .isEqualTo(
              Arrays.copyOfRange(
                  all, (int) files.info(name).begin(), (int) files.info(name).end()));
    }
  }

  @Test
  void source_halvesSwapped_exchangesTheRows() throws IOException {
    Path folder = TinyCheckpoint.parity("flux-tiny-transformer/schnell/transformer");
    try (TensorFiles files = TensorFiles.open(folder)) {
      NetworkPlan plan =
          ArchitectureReader.transformer(
              files, Optional.of(ConfigFile.read(folder.resolve("config.json"))), Optional.empty());
      byte[] raw =
          bytes(
              MappedTensor.of(
                  files,
                  new TensorExpression.Same("norm_out.linear.bias"),
                  DType.F32,
                  new long[] {64}));
      byte[] swapped =
          bytes(plan.mapping().source("final_layer.adaLN_modulation.1.bias", DType.F32));
      assertThat(swapped).hasSize(256);
      assertThat(Arrays.copyOf(swapped, 128)).isEqualTo(Arrays.copyOfRange(raw, 128, 256));
      assertThat(Arrays.copyOfRange(swapped, 128, 256)).isEqualTo(Arrays.copyOf(raw, 128));
    }
  }

  @Test
  void source_valueBeyondF16_isRefusedWithItsPlace() throws IOException {
    Path copy = folder.resolve("bfl.safetensors");
    Files.copy(TinyCheckpoint.parity("flux-tiny-transformer/dev/bfl.safetensors"), copy);
    String name = "img_in.weight";
    byte[] all = Files.readAllBytes(copy);
    try (TensorFiles files = TensorFiles.open(copy)) {
      int at = (int) files.info(name).begin() + 1000 * 4;
      ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).putFloat(at, -70000f);
    }
    Files.write(copy, all);
    try (TensorFiles files = TensorFiles.open(copy)) {
      NetworkPlan plan =
          ArchitectureReader.transformer(files, Optional.empty(), Optional.of(List.of(4, 6, 6)));
      TensorSource source = plan.mapping().source(name, DType.F16);
      assertThatThrownBy(() -> bytes(source))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(
              "tensor 'img_in.weight': element 1000 is -70000.0, beyond the largest F16 65504.0");
      assertThat(bytes(plan.mapping().source(name, DType.BF16))).hasSize(64 * 64 * 2);
    }
  }

  @Test
  void source_unknownNameOrType_isRefused() throws IOException {
    Path file = TinyCheckpoint.parity("flux-tiny-vae/tiny/bfl-ae.safetensors");
    try (TensorFiles files = TensorFiles.open(file)) {
      TensorMapping mapping = ArchitectureReader.vaeDecoder(files, Optional.empty()).mapping();
      assertThatThrownBy(() -> mapping.source("nope", DType.F32))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("got nope");
      assertThatThrownBy(() -> mapping.source("decoder.conv_in.bias", DType.I64))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected BF16, F16 or F32, got I64");
    }
  }
}
