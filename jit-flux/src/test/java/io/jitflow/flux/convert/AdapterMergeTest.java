package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.flux.adapter.AdapterFixture;
import io.jitflow.flux.adapter.AdapterFixture.Naming;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import io.jitflow.flux.weights.LoraAdapter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Adapters on the small recorded transformer, in both of its layouts. */
class AdapterMergeTest {
  private static final AdapterFixture ADAPTER =
      new AdapterFixture(5)
          .layer("double_blocks.0.img_attn.qkv", 96, 32, 2, 1)
          .layer("double_blocks.0.txt_mlp.2", 32, 128, 1, 0)
          .layer("single_blocks.1.linear1", 224, 32, 4, 0)
          .layer("single_blocks.0.modulation.lin", 96, 32, 3, 6)
          .layer("final_layer.adaLN_modulation.1", 64, 32, 2, 0);

  @TempDir Path folder;
  private FluxCheckpoint checkpoint;

  @BeforeEach
  void checkpoint() throws IOException {
    checkpoint =
        TinyCheckpoint.original(TinyCheckpoint.textEncoders(folder.resolve("parts")), "schnell");
  }

  private static ConversionOptions options(LoraAdapter... adapters) {
    return ConversionOptions.defaults().withDtype(DType.F32).withAdapters(List.of(adapters));
  }

  /** All tensors of the transformer, as they would be written. */
  private Map<String, byte[]> transformer(ConversionOptions options, DType dtype)
      throws IOException {
    Map<String, byte[]> tensors = new HashMap<>();
    try (OpenCheckpoint open = OpenCheckpoint.open(checkpoint, folder.resolve("b"), options)) {
      for (NetworkPlan plan : open.networks()) {
        if (plan.network() == FluxNetwork.TRANSFORMER) {
          for (String name : plan.mapping().expressions().keySet()) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            plan.mapping().source(name, dtype).writeTo(Channels.newChannel(out));
            tensors.put(name, out.toByteArray());
          }
        }
      }
    }
    return tensors;
  }

  @ParameterizedTest
  @EnumSource(Naming.class)
  void source_adapterInEveryNaming_isWeightPlusChange(Naming naming) throws IOException {
    Path file = ADAPTER.write(folder.resolve("lora.safetensors"), naming);
    Map<String, byte[]> plain = transformer(options(), DType.F32);
    Map<String, byte[]> merged =
        transformer(options(LoraAdapter.of(file).withScale(0.8)), DType.F32);
    for (String name : plain.keySet()) {
      String module = name.substring(0, name.lastIndexOf('.'));
      boolean changes =
          name.endsWith(".weight")
              && List.of(
                      "double_blocks.0.img_attn.qkv",
                      "double_blocks.0.txt_mlp.2",
                      "single_blocks.1.linear1",
                      "single_blocks.0.modulation.lin",
                      "final_layer.adaLN_modulation.1")
                  .contains(module);
      if (!changes) {
        assertThat(merged.get(name)).as(name).isEqualTo(plain.get(name));
        continue;
      }
      double[] change = ADAPTER.change(module);
      for (int i = 0; i < change.length; i++) {
        double expected = floatAt(plain.get(name), i) + 0.8 * change[i];
        assertThat((double) floatAt(merged.get(name), i))
            .as("%s element %d", name, i)
            .isCloseTo(expected, org.assertj.core.data.Offset.offset(2e-5));
      }
    }
  }

  @Test
  void source_sameAdapterInTwoNamings_isTheSameBitForBit() throws IOException {
    Path kohya = ADAPTER.write(folder.resolve("k.safetensors"), Naming.KOHYA);
    Path diffusers = ADAPTER.write(folder.resolve("d.safetensors"), Naming.DIFFUSERS);
    Map<String, byte[]> a = transformer(options(LoraAdapter.of(kohya)), DType.BF16);
    Map<String, byte[]> b = transformer(options(LoraAdapter.of(diffusers)), DType.BF16);
    a.forEach((name, bytes) -> assertThat(b.get(name)).as(name).isEqualTo(bytes));
  }

  @Test
  void source_adapterOfTheSmallModelInThreeNamings_isTheSameBitForBit() throws IOException {
    Path model = Path.of(System.getProperty("jit.fixtures"), "flux-mini");
    checkpoint = FluxCheckpoint.ofDirectory(model);
    Map<String, byte[]> plain = transformer(options(), DType.F32);
    Map<String, byte[]> kohya = small(model, "kohya");
    assertThat(small(model, "diffusers")).containsAllEntriesOf(kohya);
    assertThat(small(model, "bfl")).containsAllEntriesOf(kohya);
    assertThat(kohya.keySet().stream().filter(k -> !Arrays.equals(kohya.get(k), plain.get(k))))
        .hasSize(32);
  }

  private Map<String, byte[]> small(Path model, String naming) throws IOException {
    Path file = model.resolve("lora").resolve(naming + ".safetensors");
    return transformer(options(LoraAdapter.of(file).withScale(0.8)), DType.F32);
  }

  @Test
  void source_mergedAndNarrowed_isRoundedOnce() throws IOException {
    Path file = ADAPTER.write(folder.resolve("lora.safetensors"), Naming.BFL);
    byte[] wide =
        transformer(options(LoraAdapter.of(file)), DType.F32).get("single_blocks.1.linear1.weight");
    byte[] narrow =
        transformer(options(LoraAdapter.of(file)), DType.BF16)
            .get("single_blocks.1.linear1.weight");
    ByteBuffer expected = ByteBuffer.allocate(narrow.length);
    assertThat(new FloatConversion(DType.F32, DType.BF16).convert(ByteBuffer.wrap(wide), expected))
        .isNegative();
    assertThat(narrow).isEqualTo(expected.array());
  }

  @Test
  void source_adapterAndItsOpposite_cancel() throws IOException {
    Path file = ADAPTER.write(folder.resolve("lora.safetensors"), Naming.BFL);
    Map<String, byte[]> both =
        transformer(options(LoraAdapter.of(file), LoraAdapter.of(file).withScale(-1)), DType.F32);
    Map<String, byte[]> plain = transformer(options(), DType.F32);
    for (String name : plain.keySet()) {
      for (int i = 0; i < plain.get(name).length / Float.BYTES; i++) {
        assertThat(floatAt(both.get(name), i))
            .isCloseTo(floatAt(plain.get(name), i), org.assertj.core.data.Offset.offset(1e-5f));
      }
    }
  }

  @Test
  void convert_withAdapter_isInTheManifest() throws IOException {
    Path file = ADAPTER.write(folder.resolve("lora.safetensors"), Naming.BFL);
    Path target = folder.resolve("bundle");
    FluxConverter.convert(
        checkpoint, target, options(LoraAdapter.of(file).withScale(0.8)), ConversionListener.NONE);
    assertThat(FluxBundle.read(target).adapters())
        .singleElement()
        .satisfies(
            adapter -> {
              assertThat(adapter.name()).isEqualTo("lora.safetensors");
              assertThat(adapter.scale()).isEqualTo(0.8);
              assertThat(adapter.sha256()).hasSize(64);
            });
  }

  private static float floatAt(byte[] bytes, int index) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getFloat(index * Float.BYTES);
  }
}
