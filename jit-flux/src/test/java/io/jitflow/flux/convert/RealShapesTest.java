package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.naming.TensorExpression;
import io.jitflow.flux.naming.TransformerNames;
import io.jitflow.flux.naming.VaeNames;
import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.safetensors.RawSafetensors;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The published models, as headers only: the files are sparse and hold no data. */
class RealShapesTest {
  private static final FluxArchitecture DEV =
      new FluxArchitecture(
          64, 3072, 24, 12288, List.of(16, 56, 56), 19, 38, 4096, 768, true, 10000);
  private static final FluxArchitecture SCHNELL =
      new FluxArchitecture(
          64, 3072, 24, 12288, List.of(16, 56, 56), 19, 38, 4096, 768, false, 10000);
  private static final String DEV_CONFIG =
      """
      {"_class_name": "FluxTransformer2DModel", "attention_head_dim": 128, "guidance_embeds": true,
       "in_channels": 64, "joint_attention_dim": 4096, "num_attention_heads": 24, "num_layers": 19,
       "num_single_layers": 38, "patch_size": 1, "pooled_projection_dim": 768}
      """;

  @TempDir Path folder;

  private TensorFiles open(RawSafetensors raw) throws IOException {
    return TensorFiles.open(raw.writeSparse(folder.resolve("model.safetensors")));
  }

  private Optional<ConfigFile> config(String json) throws IOException {
    return Optional.of(ConfigFile.read(Files.writeString(folder.resolve("config.json"), json)));
  }

  /** Every tensor of the file is read exactly once. */
  private static void assertEveryTensorIsUsed(TensorFiles files, NetworkPlan plan) {
    List<String> inputs =
        plan.mapping().expressions().values().stream().flatMap(e -> e.inputs().stream()).toList();
    assertThat(inputs).doesNotHaveDuplicates();
    Set<String> covered = new HashSet<>(inputs);
    covered.addAll(plan.mapping().skipped());
    assertThat(covered).isEqualTo(files.tensors().keySet());
  }

  @Test
  void originalDev_780Tensors_mapCompletely() throws IOException {
    try (TensorFiles files = open(RealShapes.originalTransformer(19, 38, true))) {
      assertThat(files.tensors()).hasSize(780);
      NetworkPlan plan = ArchitectureReader.transformer(files, Optional.empty(), Optional.empty());
      assertThat(plan.architecture()).isEqualTo(DEV);
      assertThat(plan.parameters()).isEqualTo(11_901_408_320L);
      assertThat(plan.outputBytes(DType.BF16)).isEqualTo(2 * 11_901_408_320L);
      assertThat(plan.mapping().layout()).isEqualTo("original");
      assertThat(plan.mapping().skipped()).isEmpty();
      assertEveryTensorIsUsed(files, plan);
    }
  }

  @Test
  void originalDev_asComfyUiSavesIt_mapsCompletely() throws IOException {
    RawSafetensors raw =
        RealShapes.originalTransformer(19, 38, true).renamed(n -> "model.diffusion_model." + n);
    try (TensorFiles files = open(raw)) {
      NetworkPlan plan = ArchitectureReader.transformer(files, Optional.empty(), Optional.empty());
      assertThat(plan.architecture()).isEqualTo(DEV);
      assertThat(plan.mapping().expressions().get("img_in.bias"))
          .isEqualTo(new TensorExpression.Same("model.diffusion_model.img_in.bias"));
      assertThat(plan.mapping().layout())
          .isEqualTo("original, behind the prefix model.diffusion_model.");
      assertEveryTensorIsUsed(files, plan);
    }
    RawSafetensors marked = raw.add("model.diffusion_model.scaled_fp8", DType.F8_E4M3, 2);
    try (TensorFiles files = open(marked)) {
      assertThat(
              ArchitectureReader.transformer(files, Optional.empty(), Optional.empty())
                  .mapping()
                  .skipped())
          .isEmpty();
    }
  }

  @Test
  void diffusersDev_behindAPrefix_mapsCompletely() throws IOException {
    RawSafetensors raw =
        RealShapes.diffusersTransformer(19, 38, true).renamed(n -> "model.diffusion_model." + n);
    try (TensorFiles files = open(raw)) {
      NetworkPlan plan =
          ArchitectureReader.transformer(files, config(DEV_CONFIG), Optional.empty());
      assertThat(plan.architecture()).isEqualTo(DEV);
      assertEveryTensorIsUsed(files, plan);
    }
  }

  @Test
  void originalDev_withOtherPartsInTheFile_isRefusedWithWhatToDo() throws IOException {
    RawSafetensors raw =
        RealShapes.originalTransformer(19, 38, true)
            .renamed(n -> "model.diffusion_model." + n)
            .add("vae.decoder.up.0.block.0.norm1.bias", DType.BF16, 128)
            .add("text_encoders.t5xxl.transformer.shared.weight", DType.BF16, 32128, 4096);
    try (TensorFiles files = open(raw)) {
      String parts =
          "found several parts of a model in one file (model.diffusion_model.*, vae.*,"
              + " text_encoders.*); give each part as a file of its own";
      assertThatThrownBy(
              () -> ArchitectureReader.transformer(files, Optional.empty(), Optional.empty()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(files.source().toString())
          .hasMessageContaining(parts);
      assertThatThrownBy(() -> ArchitectureReader.vaeDecoder(files, Optional.empty()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(parts);
    }
  }

  @Test
  void diffusersDev_1160Tensors_mapCompletely() throws IOException {
    try (TensorFiles files = open(RealShapes.diffusersTransformer(19, 38, true))) {
      assertThat(files.tensors()).hasSize(1160);
      NetworkPlan plan =
          ArchitectureReader.transformer(files, config(DEV_CONFIG), Optional.empty());
      assertThat(plan.architecture()).isEqualTo(DEV);
      assertThat(plan.parameters()).isEqualTo(11_901_408_320L);
      assertThat(plan.mapping().expressions()).hasSize(780);
      assertThat(plan.mapping().layout()).isEqualTo("diffusers");
      assertEveryTensorIsUsed(files, plan);
    }
  }

  @Test
  void diffusersDev_inThreeShards_mapsCompletely() throws IOException {
    RawSafetensors[] shards = {
      new RawSafetensors(), new RawSafetensors(), new RawSafetensors(),
    };
    int[] turn = {0};
    String map =
        RealShapes.diffusersTransformer(19, 38, true)
            .distribute(name -> shards[turn[0]++ % shards.length])
            .entrySet()
            .stream()
            .map(
                entry ->
                    "\"%s\":\"%s\""
                        .formatted(entry.getKey(), name(List.of(shards).indexOf(entry.getValue()))))
            .collect(Collectors.joining(",", "{\"weight_map\":{", "}}"));
    for (int i = 0; i < shards.length; i++) {
      shards[i].writeSparse(folder.resolve(name(i)));
    }
    Files.writeString(folder.resolve("diffusion_pytorch_model.safetensors.index.json"), map);
    try (TensorFiles files = TensorFiles.open(folder)) {
      assertThat(files.files()).hasSize(3);
      NetworkPlan plan =
          ArchitectureReader.transformer(files, config(DEV_CONFIG), Optional.empty());
      assertThat(plan.architecture()).isEqualTo(DEV);
      assertEveryTensorIsUsed(files, plan);
    }
  }

  private static String name(int shard) {
    return "diffusion_pytorch_model-0000" + (shard + 1) + "-of-00003.safetensors";
  }

  @Test
  void originalSchnell_mapsCompletely() throws IOException {
    try (TensorFiles files = open(RealShapes.originalTransformer(19, 38, false))) {
      assertThat(files.tensors()).hasSize(776);
      NetworkPlan plan = ArchitectureReader.transformer(files, Optional.empty(), Optional.empty());
      assertThat(plan.architecture()).isEqualTo(SCHNELL);
      assertThat(plan.parameters()).isEqualTo(11_901_408_320L - 10_229_760);
    }
  }

  @Test
  void diffusersSchnell_mapsCompletely() throws IOException {
    try (TensorFiles files = open(RealShapes.diffusersTransformer(19, 38, false))) {
      assertThat(files.tensors()).hasSize(1156);
      String json = DEV_CONFIG.replace("\"guidance_embeds\": true", "\"guidance_embeds\": false");
      NetworkPlan plan = ArchitectureReader.transformer(files, config(json), Optional.empty());
      assertThat(plan.architecture()).isEqualTo(SCHNELL);
      assertEveryTensorIsUsed(files, plan);
    }
  }

  @Test
  void schnellWithTheConfigurationOfDev_isRefused() throws IOException {
    try (TensorFiles files = open(RealShapes.diffusersTransformer(19, 38, false))) {
      Optional<ConfigFile> config = config(DEV_CONFIG);
      assertThatThrownBy(() -> ArchitectureReader.transformer(files, config, Optional.empty()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("missing (4): 'time_text_embed.guidance_embedder.linear_1.weight'");
    }
  }

  @Test
  void devWithTheConfigurationOfSchnell_isRefused() throws IOException {
    try (TensorFiles files = open(RealShapes.diffusersTransformer(19, 38, true))) {
      Optional<ConfigFile> config =
          config(DEV_CONFIG.replace("\"guidance_embeds\": true", "\"guidance_embeds\": false"));
      assertThatThrownBy(() -> ArchitectureReader.transformer(files, config, Optional.empty()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(
              "left over (4): 'time_text_embed.guidance_embedder.linear_1.weight'");
    }
  }

  @Test
  void original_withoutABlock_isRefused() throws IOException {
    RawSafetensors raw = RealShapes.originalTransformer(19, 38, true);
    try (TensorFiles files = open(raw.without(name -> name.startsWith("double_blocks.7.")))) {
      assertThatThrownBy(
              () -> ArchitectureReader.transformer(files, Optional.empty(), Optional.empty()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("double_blocks.0 to double_blocks.18, found no double_blocks.7");
    }
  }

  @Test
  void original_withoutManyTensors_listsSomeAndCountsAll() throws IOException {
    RawSafetensors raw = RealShapes.originalTransformer(19, 38, true);
    try (TensorFiles files = open(raw.without(name -> name.endsWith("linear1.bias")))) {
      assertThatThrownBy(
              () -> ArchitectureReader.transformer(files, Optional.empty(), Optional.empty()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("missing (38): 'single_blocks.0.linear1.bias'")
          .hasMessageContaining("and 18 more");
    }
  }

  @Test
  void original_withTensorsOfALora_isRefused() throws IOException {
    RawSafetensors raw =
        RealShapes.originalTransformer(19, 38, true)
            .add("img_in.lora_A.weight", DType.BF16, 16, 64);
    try (TensorFiles files = open(raw)) {
      assertThatThrownBy(
              () -> ArchitectureReader.transformer(files, Optional.empty(), Optional.empty()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("left over (1): 'img_in.lora_A.weight'");
    }
  }

  @Test
  void original_int8WithoutScale_isRefused() throws IOException {
    RawSafetensors raw =
        RealShapes.originalTransformer(19, 38, true)
            .without(name -> name.equals("img_in.weight"))
            .add("img_in.weight", DType.I8, 3072, 64);
    try (TensorFiles files = open(raw)) {
      assertThatThrownBy(
              () -> ArchitectureReader.transformer(files, Optional.empty(), Optional.empty()))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("wrong (1): 'img_in.weight' is I8 without a scale")
          .hasMessageContaining(".weight_scale, .scale_weight or .SCB beside it");
    }
  }

  @Test
  void originalAutoencoder_mapsCompletely() throws IOException {
    try (TensorFiles files = open(RealShapes.originalAutoencoder())) {
      assertThat(files.tensors()).hasSize(244);
      NetworkPlan plan = ArchitectureReader.vaeDecoder(files, Optional.empty());
      assertThat(plan.architecture())
          .isEqualTo(
              new VaeArchitecture(16, List.of(128, 256, 512, 512), 2, 32, 0.3611, 0.1159, false));
      assertThat(plan.mapping().skipped()).isEmpty();
      assertThat(plan.programs()).containsOnlyKeys("vae_encoder.pt", "vae_decoder.pt");
      assertEveryTensorIsUsed(files, plan);
    }
  }

  @Test
  void originalAutoencoder_withConfiguration_takesItsFactorsAndGroups() throws IOException {
    try (TensorFiles files = open(RealShapes.originalAutoencoder())) {
      NetworkPlan plan =
          ArchitectureReader.vaeDecoder(
              files,
              config("{\"norm_num_groups\":8,\"scaling_factor\":0.5,\"shift_factor\":0.25}"));
      assertThat(plan.architecture())
          .isEqualTo(new VaeArchitecture(16, List.of(128, 256, 512, 512), 2, 8, 0.5, 0.25, false));
    }
  }

  @Test
  void t5Xxl_mapsCompletely() throws IOException {
    String json =
        """
        {"architectures": ["T5EncoderModel"], "d_ff": 10240, "d_kv": 64, "d_model": 4096,
         "dense_act_fn": "gelu_new", "feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 1e-06,
         "num_heads": 64, "num_layers": 24, "relative_attention_max_distance": 128,
         "relative_attention_num_buckets": 32, "vocab_size": 32128}
        """;
    T5Architecture expected = new T5Architecture(32128, 4096, 64, 64, 10240, 24, 32, 128, 1e-6);
    try (TensorFiles files = open(RealShapes.t5Xxl())) {
      assertThat(files.tensors()).hasSize(219);
      NetworkPlan plan = ArchitectureReader.t5(files, config(json));
      assertThat(plan.architecture()).isEqualTo(expected);
      assertThat(plan.parameters()).isEqualTo(4_762_310_656L);
      assertEveryTensorIsUsed(files, plan);
    }
    RawSafetensors both =
        RealShapes.t5Xxl()
            .add("encoder.embed_tokens.weight", DType.BF16, 32128, 4096)
            .add("lm_head.weight", DType.BF16, 32128, 4096)
            .add("decoder.final_layer_norm.weight", DType.BF16, 4096);
    try (TensorFiles files = open(both)) {
      NetworkPlan plan = ArchitectureReader.t5(files, config(json));
      assertThat(plan.mapping().skipped())
          .containsExactlyInAnyOrder(
              "encoder.embed_tokens.weight", "lm_head.weight", "decoder.final_layer_norm.weight");
    }
    RawSafetensors other =
        RealShapes.t5Xxl()
            .without(name -> name.equals("shared.weight"))
            .add("encoder.embed_tokens.weight", DType.BF16, 32128, 4096);
    try (TensorFiles files = open(other)) {
      NetworkPlan plan = ArchitectureReader.t5(files, config(json));
      assertThat(plan.mapping().expressions().get("shared.weight"))
          .isEqualTo(new TensorExpression.Same("encoder.embed_tokens.weight"));
    }
  }

  static final String CLIP_SIZES =
      """
      "eos_token_id": 2, "hidden_act": "quick_gelu", "hidden_size": 768, "intermediate_size": 3072,
      "layer_norm_eps": 1e-05, "max_position_embeddings": 77, "num_attention_heads": 12,
      "num_hidden_layers": 12, "vocab_size": 49408
      """;
  private static final ClipArchitecture CLIP_L =
      new ClipArchitecture(49408, 768, 3072, 12, 12, 77, 2, "quick_gelu", 1e-5);

  @Test
  void clipL_mapsCompletely() throws IOException {
    RawSafetensors raw =
        RealShapes.clipL().add("text_model.embeddings.position_ids", DType.I64, 1, 77);
    try (TensorFiles files = open(raw)) {
      NetworkPlan plan = ArchitectureReader.clip(files, config("{" + CLIP_SIZES + "}"));
      assertThat(plan.architecture()).isEqualTo(CLIP_L);
      assertThat(plan.parameters()).isEqualTo(123_060_480);
      assertThat(plan.mapping().skipped()).containsExactly("text_model.embeddings.position_ids");
    }
  }

  @Test
  void clipL_withoutPrefix_mapsCompletely() throws IOException {
    RawSafetensors raw = RealShapes.clipL().renamed(n -> n.substring("text_model.".length()));
    try (TensorFiles files = open(raw)) {
      NetworkPlan plan = ArchitectureReader.clip(files, config("{" + CLIP_SIZES + "}"));
      assertThat(plan.architecture()).isEqualTo(CLIP_L);
      assertEveryTensorIsUsed(files, plan);
    }
  }

  @Test
  void fullClip_skipsTheImageHalf() throws IOException {
    RawSafetensors raw =
        RealShapes.clipL()
            .add("logit_scale", DType.F32)
            .add("text_projection.weight", DType.F32, 768, 768)
            .add("visual_projection.weight", DType.F32, 768, 1024)
            .add("vision_model.embeddings.class_embedding", DType.F32, 1024);
    try (TensorFiles files = open(raw)) {
      NetworkPlan plan =
          ArchitectureReader.clip(
              files, config("{\"hidden_size\": 1, \"text_config\": {" + CLIP_SIZES + "}}"));
      assertThat(plan.architecture()).isEqualTo(CLIP_L);
      assertThat(plan.mapping().skipped()).hasSize(4);
    }
  }

  @Test
  void fusedProjections_areRowsInTheOrderOfTheProgram() {
    assertThat(TransformerNames.DIFFUSERS.source().apply("single_blocks.3.linear1.bias"))
        .isEqualTo(
            new TensorExpression.Rows(
                List.of(
                    "single_transformer_blocks.3.attn.to_q.bias",
                    "single_transformer_blocks.3.attn.to_k.bias",
                    "single_transformer_blocks.3.attn.to_v.bias",
                    "single_transformer_blocks.3.proj_mlp.bias")));
    assertThat(TransformerNames.DIFFUSERS.source().apply("final_layer.adaLN_modulation.1.weight"))
        .isEqualTo(new TensorExpression.HalvesSwapped("norm_out.linear.weight"));
    assertThat(VaeNames.diffusers(4).source().apply("decoder.up.3.block.1.conv1.weight").inputs())
        .containsExactly("decoder.up_blocks.0.resnets.1.conv1.weight");
  }
}
