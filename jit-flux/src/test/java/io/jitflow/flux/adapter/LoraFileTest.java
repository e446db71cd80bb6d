package io.jitflow.flux.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.adapter.AdapterFixture.Naming;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import io.jitflow.flux.weights.LoraAdapter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LoraFileTest {
  private static final Map<FluxNetwork, Map<String, long[]>> MODEL =
      Map.of(
          FluxNetwork.TRANSFORMER,
          Map.of(
              "double_blocks.0.img_attn.qkv.weight", new long[] {12, 4},
              "double_blocks.0.img_attn.qkv.bias", new long[] {12},
              "double_blocks.0.txt_attn.proj.weight", new long[] {4, 4},
              "single_blocks.1.linear1.weight", new long[] {28, 4},
              "single_blocks.1.linear2.weight", new long[] {4, 20},
              "final_layer.adaLN_modulation.1.weight", new long[] {8, 4}),
          FluxNetwork.TEXT_ENCODER,
          Map.of("text_model.encoder.layers.0.mlp.fc1.weight", new long[] {8, 2}),
          FluxNetwork.TEXT_ENCODER_2,
          Map.of("encoder.block.0.layer.0.SelfAttention.q.weight", new long[] {6, 3}));

  private static final String LAYER = "transformer_blocks.0.attn.to_add_out";

  @TempDir Path folder;

  private static AdapterFixture adapter() {
    return new AdapterFixture(1)
        .layer("double_blocks.0.img_attn.qkv", 12, 4, 2, 1)
        .layer("single_blocks.1.linear1", 28, 4, 3, 0)
        .layer("final_layer.adaLN_modulation.1", 8, 4, 1, 4);
  }

  /** The change of a tensor as OpenAdapters adds it to zeros. */
  private static float[] added(OpenAdapters adapters, FluxNetwork network, String tensor)
      throws IOException {
    long[] shape = MODEL.get(network).get(tensor);
    int columns = (int) shape[1];
    float[] sum = new float[(int) shape[0] * columns];
    for (LoraProduct product : adapters.changes(network, tensor)) {
      for (int row = 0; row < shape[0]; row++) {
        product.addTo(row, sum, row * columns, new float[columns]);
      }
    }
    return sum;
  }

  private OpenAdapters open(Path file, double scale) throws IOException {
    return OpenAdapters.open(List.of(new LoraAdapter(file, scale)), MODEL);
  }

  @ParameterizedTest
  @EnumSource(Naming.class)
  void changes_everyNaming_areTheProductTimesAlphaOverRank(Naming naming) throws IOException {
    AdapterFixture fixture = adapter();
    Path file = fixture.write(folder.resolve("a.safetensors"), naming);
    try (OpenAdapters adapters = open(file, 0.5)) {
      assertThat(adapters.changed(FluxNetwork.TRANSFORMER)).hasSize(3);
      for (String module :
          List.of(
              "double_blocks.0.img_attn.qkv",
              "single_blocks.1.linear1",
              "final_layer.adaLN_modulation.1")) {
        float[] added = added(adapters, FluxNetwork.TRANSFORMER, module + ".weight");
        double[] expected = fixture.change(module);
        for (int i = 0; i < expected.length; i++) {
          assertThat((double) added[i])
              .as("%s %d", module, i)
              .isCloseTo(0.5 * expected[i], org.assertj.core.data.Offset.offset(1e-5));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "double_blocks.0.processor.qkv_lora1, double_blocks.0.img_attn.qkv.weight, 12, 4, 48",
    "double_blocks.0.processor.proj_lora2, double_blocks.0.txt_attn.proj.weight, 4, 4, 16",
    "single_blocks.1.processor.qkv_lora, single_blocks.1.linear1.weight, 12, 4, 48",
    "single_blocks.1.processor.proj_lora, single_blocks.1.linear2.weight, 4, 20, 80"
  })
  void changes_xlabsNaming_areThoseOfTheAttentionRows(
      String layer, String tensor, int rows, int columns, int changed) throws IOException {
    Path file = pair(layer, ".up.weight", rows, ".down.weight", columns);
    try (OpenAdapters adapters = open(file, 1)) {
      float[] added = added(adapters, FluxNetwork.TRANSFORMER, tensor);
      for (int i = 0; i < added.length; i++) {
        assertThat(added[i]).as("element %d", i).isEqualTo(i < changed ? 1f : 0f);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "lora_te1_text_model_encoder_layers_0_mlp_fc1, .lora_up.weight, .lora_down.weight,"
        + " TEXT_ENCODER, 8, 2",
    "text_encoder.text_model.encoder.layers.0.mlp.fc1, .lora_linear_layer.up.weight,"
        + " .lora_linear_layer.down.weight, TEXT_ENCODER, 8, 2",
    "text_encoder_2.encoder.block.0.layer.0.SelfAttention.q, .lora_B.weight, .lora_A.weight,"
        + " TEXT_ENCODER_2, 6, 3",
    "lora_te3_encoder_block_0_layer_0_SelfAttention_q, .lora_up.weight, .lora_down.weight,"
        + " TEXT_ENCODER_2, 6, 3"
  })
  void changes_partsOfTextEncoders_areFound(
      String layer, String up, String down, FluxNetwork network, int rows, int columns)
      throws IOException {
    try (OpenAdapters adapters = open(pair(layer, up, rows, down, columns), 1)) {
      assertThat(adapters.changed(network)).hasSize(1);
      float[] added = added(adapters, network, adapters.changed(network).iterator().next());
      assertThat(added).containsOnly(1f);
    }
  }

  /** One layer of rank 1, of ones, with a header that says something about it, or "". */
  private Path described(String layer, String metadata) throws IOException {
    boolean isPefts = layer.startsWith("base_model.model.");
    return described(isPefts ? "adapter_model" : "m", layer, metadata);
  }

  private Path described(String file, String layer, String metadata) throws IOException {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    put(shapes, values, layer + ".lora_A.weight", 1, 4);
    put(shapes, values, layer + ".lora_B.weight", 4, 1);
    String escaped = metadata.replace("\\", "\\\\").replace("\"", "\\\"");
    return AdapterFixture.write(
        folder.resolve(file + ".safetensors"),
        shapes,
        values,
        metadata.isEmpty() ? Map.of() : Map.of("lora_adapter_metadata", escaped));
  }

  /** Alpha over rank of such a layer. */
  private float factor(Path file) throws IOException {
    try (OpenAdapters adapters = open(file, 1)) {
      float[] added =
          added(adapters, FluxNetwork.TRANSFORMER, "double_blocks.0.txt_attn.proj.weight");
      assertThat(added).containsOnly(added[0]);
      return added[0];
    }
  }

  @Test
  void changes_scaleInDiffusersMetadata_counts() throws IOException {
    String metadata = "{\"transformer.r\":1,\"transformer.lora_alpha\":3}";
    assertThat(factor(described("transformer." + LAYER, metadata))).isEqualTo(3f);
  }

  @Test
  void changes_bareLayersWithBareMetadata_takeItsScale() throws IOException {
    String metadata =
        "{\"alpha_pattern\":{},\"lora_alpha\":3,\"r\":1,\"rank_pattern\":{},\"use_dora\":false}";
    assertThat(factor(described(LAYER, metadata))).isEqualTo(3f);
  }

  @ParameterizedTest
  @CsvSource({
    "to_add_out, 5",
    "attn.to_add_out, 5",
    "transformer_blocks.0.attn.to_add_out, 5",
    "^transformer_blocks.*, 5",
    "transformer_blocks\\\\.\\\\d+\\\\.attn\\\\.(to_q|to_add_out), 5",
    "add_out, 3",
    "transformer_blocks.0, 3",
    "single_transformer_blocks.0.attn.to_add_out, 3"
  })
  void changes_alphaPattern_isAnExpressionForTheEndOfALayersName(String pattern, float alpha)
      throws IOException {
    String bare = "{\"lora_alpha\":3,\"alpha_pattern\":{\"to_q\":7,\"%s\":5}}".formatted(pattern);
    assertThat(factor(described(LAYER, bare))).isEqualTo(alpha);
    String prefixed =
        bare.replace("lora_alpha", "transformer.lora_alpha")
            .replace("alpha_pattern", "transformer.alpha_pattern");
    assertThat(factor(described("transformer." + LAYER, prefixed))).isEqualTo(alpha);
  }

  @Test
  void open_alphaPatternThatIsNoExpression_isRefused() throws IOException {
    Path file = described(LAYER, "{\"lora_alpha\":3,\"alpha_pattern\":{\"to_(q\":7}}");
    assertThatThrownBy(() -> open(file, 1))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("alpha_pattern: expected names of layers or regular expressions")
        .hasMessageContaining("'to_(q'");
  }

  @Test
  void changes_peftConfigBesideItsFile_givesTheScale() throws IOException {
    Path config = folder.resolve("adapter_config.json");
    assertThat(factor(described("base_model.model." + LAYER, ""))).isEqualTo(1f);
    Files.writeString(
        config,
        """
        {"alpha_pattern": {}, "lora_alpha": 3, "peft_type": "LORA", "r": 8, "use_dora": false,
         "rank_pattern": {"attn.to_add_out": 1}, "use_rslora": false}
        """);
    assertThat(factor(described("base_model.model." + LAYER, ""))).isEqualTo(3f);
    assertThat(factor(described(LAYER, ""))).as("a file of another tool").isEqualTo(1f);
    assertThat(factor(described("other", "base_model.model." + LAYER, "")))
        .as("another file in that folder")
        .isEqualTo(1f);
    Files.writeString(
        config, "{\"alpha_pattern\": {\"^transformer_blocks.*\": 5}, \"lora_alpha\": 3}");
    assertThat(factor(described("base_model.model." + LAYER, ""))).isEqualTo(5f);
    assertThat(factor(described("base_model.model." + LAYER, "{\"lora_alpha\":2}")))
        .as("what the file itself says")
        .isEqualTo(2f);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"use_dora\": true} | 'use_dora' is not supported; use a plain LoRA",
        "{\"use_rslora\": true} | 'use_rslora' is not supported; use a plain LoRA",
        "{\"lora_alpha\": 3, \"r\": 16} | r: expected 1, the rank of 'base_model.model.",
        "{\"lora_alpha\": \"3\"} | lora_alpha: expected a number",
        "[] | expected a JSON object, found a list"
      })
  void open_peftConfigThatCannotBe_isRefusedAndNamed(String json, String problem)
      throws IOException {
    Path config = Files.writeString(folder.resolve("adapter_config.json"), json);
    Path file = described("base_model.model." + LAYER, "");
    assertThatThrownBy(() -> open(file, 1))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(config.toString())
        .hasMessageContaining(problem);
  }

  @Test
  void changes_folderCalledAsAPeftConfig_isPassedOver() throws IOException {
    Files.createDirectory(folder.resolve("adapter_config.json"));
    assertThat(factor(described("base_model.model." + LAYER, ""))).isEqualTo(1f);
  }

  @ParameterizedTest
  @EnumSource(names = {"F64", "I64", "I32", "I16", "I8", "U8"})
  void changes_alphaOfAnotherType_counts(DType dtype) throws IOException {
    assertThat(factor(withAlpha(dtype, 3))).isEqualTo(3f);
  }

  @Test
  void open_alphaThatIsNotFinite_isRefused() throws IOException {
    Path file = withAlpha(DType.F64, Double.NaN);
    assertThatThrownBy(() -> open(file, 1))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(LAYER + ".alpha': expected a finite alpha, found NaN");
  }

  /** One layer of rank 1, of ones, with an alpha of any type behind it. */
  private Path withAlpha(DType dtype, double alpha) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(40).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 8; i++) {
      data.putFloat(1);
    }
    switch (dtype) {
      case F64 -> data.putDouble(alpha);
      case I64 -> data.putLong((long) alpha);
      case I32 -> data.putInt((int) alpha);
      case I16 -> data.putShort((short) alpha);
      default -> data.put((byte) alpha);
    }
    String header =
        """
        {"NAME.lora_A.weight":{"dtype":"F32","shape":[1,4],"data_offsets":[0,16]},
         "NAME.lora_B.weight":{"dtype":"F32","shape":[4,1],"data_offsets":[16,32]},
         "NAME.alpha":{"dtype":"%s","shape":[],"data_offsets":[32,%s]}}
        """
            .replace("NAME", LAYER)
            .formatted(dtype, data.position());
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer all =
        ByteBuffer.allocate(8 + json.length + data.position()).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(json.length).put(json).put(data.flip());
    return Files.write(folder.resolve("alpha.safetensors"), all.array());
  }

  @Test
  void open_adapterForAnotherModel_isRefusedWithItsTensors() throws IOException {
    Path file =
        pair(
            "lora_unet_down_blocks_0_attentions_0_proj_in",
            ".lora_up.weight",
            4,
            ".lora_down.weight",
            4);
    assertThatThrownBy(() -> open(file, 1))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("for another model")
        .hasMessageContaining("lora_unet_down_blocks_0_attentions_0_proj_in.lora_up.weight");
  }

  @Test
  void open_otherWidth_isRefusedWithBothShapes() throws IOException {
    Path file =
        pair("double_blocks.0.img_attn.qkv", ".lora_B.weight", 9216, ".lora_A.weight", 3072);
    assertThatThrownBy(() -> open(file, 1))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(
            "expected factors [12, rank] and [rank, 4], found [9216, 1] and [1, 3072]");
  }

  @Test
  void open_oneTensorOfNoLayer_isNamed() throws IOException {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    put(shapes, values, "double_blocks.0.img_attn.qkv.lora_A.weight", 1, 4);
    put(shapes, values, "double_blocks.0.img_attn.qkv.lora_B.weight", 12, 1);
    put(shapes, values, "double_blocks.9.img_attn.qkv.lora_A.weight", 1, 4);
    Path file = AdapterFixture.write(folder.resolve("b.safetensors"), shapes, values, Map.of());
    assertThatThrownBy(() -> open(file, 1))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("unused tensors (1): 'double_blocks.9.img_attn.qkv.lora_A.weight'");
  }

  @ParameterizedTest
  @CsvSource({
    "double_blocks.0.img_attn.qkv.lora_B.bias, biases or norms",
    "double_blocks.0.img_attn.qkv.dora_scale, DoRA",
  })
  void open_otherKindsBesideALora_areRefusedByName(String extra, String reason) throws IOException {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    put(shapes, values, "double_blocks.0.img_attn.qkv.lora_A.weight", 1, 4);
    put(shapes, values, "double_blocks.0.img_attn.qkv.lora_B.weight", 12, 1);
    put(shapes, values, extra, 12, 1);
    Path file = AdapterFixture.write(folder.resolve("c.safetensors"), shapes, values, Map.of());
    assertThatThrownBy(() -> open(file, 1))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining(extra);
  }

  @Test
  void open_oneFactorAlone_isRefused() throws IOException {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    put(shapes, values, "double_blocks.0.img_attn.qkv.lora_A.weight", 1, 4);
    Path file = AdapterFixture.write(folder.resolve("d.safetensors"), shapes, values, Map.of());
    assertThatThrownBy(() -> open(file, 1))
        .isInstanceOf(AdapterException.class)
        .hasMessageContaining("expected two factors");
  }

  @Test
  void open_noAdapter_saysSo() throws IOException {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    put(shapes, values, "double_blocks.0.img_attn.qkv.weight", 12, 4);
    Path file = AdapterFixture.write(folder.resolve("e.safetensors"), shapes, values, Map.of());
    assertThatThrownBy(() -> open(file, 1)).hasMessageContaining("expected a LoRA adapter");
  }

  private Path pair(String layer, String up, int rows, String down, int columns)
      throws IOException {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    put(shapes, values, layer + up, rows, 1);
    put(shapes, values, layer + down, 1, columns);
    return AdapterFixture.write(folder.resolve("pair.safetensors"), shapes, values, Map.of());
  }

  private static void put(
      Map<String, int[]> shapes, Map<String, float[]> values, String name, int rows, int columns) {
    shapes.put(name, new int[] {rows, columns});
    float[] ones = new float[rows * columns];
    Arrays.fill(ones, 1f);
    values.put(name, ones);
  }
}
