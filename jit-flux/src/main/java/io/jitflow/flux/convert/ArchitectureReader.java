package io.jitflow.flux.convert;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.naming.Layout;
import io.jitflow.flux.naming.NameRules;
import io.jitflow.flux.naming.TextEncoderNames;
import io.jitflow.flux.naming.TransformerNames;
import io.jitflow.flux.naming.VaeNames;
import io.jitflow.flux.network.Architecture;
import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Sizes of the four networks, from their configurations and from the shapes of their tensors. A
 * default stands where the published configurations leave an entry out, and is the one that
 * diffusers or transformers would take.
 */
final class ArchitectureReader {
  /** Axes of a head of 128 channels in every published FLUX.1 model. */
  private static final List<Integer> FLUX_AXES = List.of(16, 56, 56);

  private static final int FLUX_HEAD_WIDTH = 128;
  private static final double THETA = 10000;
  private static final double FLUX_SCALING = 0.3611;
  private static final double FLUX_SHIFT = 0.1159;
  private static final int FLUX_NORM_GROUPS = 32;

  private ArchitectureReader() {}

  static NetworkPlan transformer(
      TensorFiles files, Optional<ConfigFile> config, Optional<List<Integer>> ropeAxes)
      throws IOException {
    String prefix = Layout.prefix(files.names());
    HeaderShapes shapes = new HeaderShapes(files, prefix);
    boolean original =
        layout(
                FluxNetwork.TRANSFORMER,
                files,
                "a FLUX.1 transformer (tensors double_blocks.* or transformer_blocks.*)")
            == Layout.ORIGINAL_TRANSFORMER;
    try {
      FluxArchitecture architecture =
          original
              ? originalTransformer(files, shapes, config, ropeAxes)
              : diffusersTransformer(shapes, required(files, config), ropeAxes);
      return plan(
          FluxNetwork.TRANSFORMER,
          files,
          architecture,
          transformerPrograms(architecture),
          (original ? TransformerNames.ORIGINAL : TransformerNames.DIFFUSERS).behind(prefix));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw impossible(files, e);
    }
  }

  private static Layout layout(FluxNetwork network, TensorFiles files, String expected)
      throws CheckpointException {
    List<String> parts = Layout.parts(files.names());
    if (!parts.isEmpty()) {
      throw new CheckpointException(
          "%s: expected %s, found several parts of a model in one file (%s*); give each part as a file of its own, as FLUX.1 is published: the transformer (flux1-dev.safetensors), the autoencoder (ae.safetensors), and the folders of text encoders and tokenizers"
              .formatted(files.source(), expected, String.join("*, ", parts)));
    }
    return Layout.of(network, files.names())
        .orElseThrow(
            () ->
                new CheckpointException(
                    "%s: expected %s, found %s; check the path"
                        .formatted(files.source(), expected, examples(files))));
  }

  private static FluxArchitecture diffusersTransformer(
      HeaderShapes shapes, ConfigFile config, Optional<List<Integer>> ropeAxes) throws IOException {
    config.require("_class_name", "FluxTransformer2DModel");
    int heads = config.integer("num_attention_heads");
    int headWidth = config.integer("attention_head_dim");
    int inChannels = config.integer("in_channels");
    if (config.integer("patch_size", 1) != 1) {
      throw config.wrong("patch_size", "1", config.integer("patch_size"));
    }
    if (config.integer("out_channels", inChannels) != inChannels) {
      throw config.wrong(
          "out_channels",
          inChannels + " as in_channels (Fill, Depth and Canny models are not supported)",
          config.integer("out_channels"));
    }
    return new FluxArchitecture(
        inChannels,
        Math.multiplyExact(heads, headWidth),
        heads,
        shapes.dimension("transformer_blocks.0.ff.net.0.proj.weight", 2, 0),
        axes(config.file(), headWidth, Optional.of(config), ropeAxes),
        shapes.count("transformer_blocks.", config, "num_layers"),
        shapes.count("single_transformer_blocks.", config, "num_single_layers"),
        config.integer("joint_attention_dim"),
        config.integer("pooled_projection_dim"),
        config.flag("guidance_embeds", false),
        THETA);
  }

  private static FluxArchitecture originalTransformer(
      TensorFiles files,
      HeaderShapes shapes,
      Optional<ConfigFile> config,
      Optional<List<Integer>> ropeAxes)
      throws IOException {
    int hidden = shapes.dimension("img_in.weight", 2, 0);
    int headWidth = shapes.dimension("double_blocks.0.img_attn.norm.query_norm.scale", 1, 0);
    if (hidden % headWidth != 0) {
      throw new CheckpointException(
          files.source()
              + ": expected a width that is a multiple of the head width, found "
              + hidden
              + " (img_in.weight) and "
              + headWidth
              + " (double_blocks.0.img_attn.norm.query_norm.scale)");
    }
    return new FluxArchitecture(
        shapes.dimension("img_in.weight", 2, 1),
        hidden,
        hidden / headWidth,
        shapes.dimension("double_blocks.0.img_mlp.0.weight", 2, 0),
        axes(files.source(), headWidth, config, ropeAxes),
        shapes.count("double_blocks."),
        shapes.count("single_blocks."),
        shapes.dimension("txt_in.weight", 2, 1),
        shapes.dimension("vector_in.in_layer.weight", 2, 1),
        shapes.has("guidance_in.in_layer.weight"),
        THETA);
  }

  /** What the caller says, or the configuration, or FLUX.1's axes if the head has their width. */
  private static List<Integer> axes(
      Path source, int headWidth, Optional<ConfigFile> config, Optional<List<Integer>> given)
      throws IOException {
    if (given.isPresent()) {
      return given.get();
    }
    if (config.isPresent() && config.get().has("axes_dims_rope")) {
      return config.get().integers("axes_dims_rope", FLUX_AXES);
    }
    if (headWidth != FLUX_HEAD_WIDTH) {
      throw new CheckpointException(
          source
              + ": expected heads of "
              + FLUX_HEAD_WIDTH
              + " channels as in FLUX.1, found "
              + headWidth
              + "; say how the rotary embedding divides them: a config.json with axes_dims_rope"
              + " beside the weights, or the rope axes of the checkpoint");
    }
    return FLUX_AXES;
  }

  static NetworkPlan vaeDecoder(TensorFiles files, Optional<ConfigFile> config) throws IOException {
    HeaderShapes shapes = new HeaderShapes(files);
    Layout layout =
        layout(
            FluxNetwork.VAE_DECODER,
            files,
            "the autoencoder of FLUX.1 (tensors decoder.up.* or decoder.up_blocks.*)");
    int levels = shapes.count(layout.blocks());
    boolean original = layout == Layout.ORIGINAL_VAE;
    try {
      VaeArchitecture architecture =
          original
              ? originalVae(shapes, levels, config)
              : diffusersVae(shapes, required(files, config));
      return plan(
          FluxNetwork.VAE_DECODER,
          files,
          architecture,
          vaePrograms(shapes, architecture, original ? "encoder.down." : "encoder.down_blocks."),
          original ? VaeNames.ORIGINAL : VaeNames.diffusers(levels));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw impossible(files, e);
    }
  }

  private static VaeArchitecture diffusersVae(HeaderShapes shapes, ConfigFile config)
      throws IOException {
    config.require("_class_name", "AutoencoderKL");
    config.require("act_fn", "silu");
    if (!config.flag("mid_block_add_attention", true)) {
      throw config.wrong("mid_block_add_attention", "true", "false");
    }
    List<Integer> channels = config.integers("block_out_channels", List.of());
    int levels = shapes.count("decoder.up_blocks.");
    if (channels.size() != levels) {
      throw config.wrong(
          "block_out_channels", "one number for each of " + levels + " levels", channels);
    }
    int blocks = shapes.count("decoder.up_blocks.0.resnets.");
    int layers = config.integer("layers_per_block", blocks - 1);
    if (layers != blocks - 1) {
      throw config.wrong(
          "layers_per_block", (blocks - 1) + " as in the weights (one less than resnets)", layers);
    }
    return new VaeArchitecture(
        config.integer("latent_channels"),
        channels,
        layers,
        config.integer("norm_num_groups", FLUX_NORM_GROUPS),
        config.number("scaling_factor", FLUX_SCALING),
        config.number("shift_factor", FLUX_SHIFT),
        config.flag("use_post_quant_conv", shapes.has("post_quant_conv.weight")));
  }

  private static VaeArchitecture originalVae(
      HeaderShapes shapes, int levels, Optional<ConfigFile> config) throws IOException {
    List<Integer> channels = new ArrayList<>();
    for (int level = 0; level < levels; level++) {
      channels.add(shapes.dimension("decoder.up." + level + ".block.0.conv1.weight", 4, 0));
    }
    int groups = FLUX_NORM_GROUPS;
    double scaling = FLUX_SCALING;
    double shift = FLUX_SHIFT;
    if (config.isPresent()) {
      groups = config.get().integer("norm_num_groups", groups);
      scaling = config.get().number("scaling_factor", scaling);
      shift = config.get().number("shift_factor", shift);
    }
    return new VaeArchitecture(
        shapes.dimension("decoder.conv_in.weight", 4, 1),
        channels,
        shapes.count("decoder.up.0.block.") - 1,
        groups,
        scaling,
        shift,
        shapes.has("post_quant_conv.weight"));
  }

  static NetworkPlan clip(TensorFiles files, Optional<ConfigFile> file) throws IOException {
    HeaderShapes shapes = new HeaderShapes(files);
    // a full CLIP keeps the text half's sizes in an object of its own
    ConfigFile config = required(files, file).within("text_config");
    Layout layout =
        layout(
            FluxNetwork.TEXT_ENCODER,
            files,
            "a CLIP text encoder (tensors text_model.encoder.layers.*)");
    try {
      ClipArchitecture architecture =
          new ClipArchitecture(
              config.integer("vocab_size"),
              config.integer("hidden_size"),
              config.integer("intermediate_size"),
              shapes.count(layout.blocks(), config, "num_hidden_layers"),
              config.integer("num_attention_heads"),
              config.integer("max_position_embeddings", 77),
              config.integer("eos_token_id", 49407),
              config.string("hidden_act").orElse("quick_gelu"),
              config.number("layer_norm_eps", 1e-5));
      return plan(
          FluxNetwork.TEXT_ENCODER,
          files,
          architecture,
          NetworkProgram.of(architecture),
          TextEncoderNames.clip(layout == Layout.CLIP));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw impossible(files, e);
    }
  }

  static NetworkPlan t5(TensorFiles files, Optional<ConfigFile> file) throws IOException {
    HeaderShapes shapes = new HeaderShapes(files);
    ConfigFile config = required(files, file);
    Layout layout =
        layout(FluxNetwork.TEXT_ENCODER_2, files, "a T5 encoder (tensors encoder.block.*)");
    config.require("feed_forward_proj", "gated-gelu");
    config.require("dense_act_fn", "gelu_new");
    try {
      T5Architecture architecture =
          new T5Architecture(
              config.integer("vocab_size"),
              config.integer("d_model"),
              config.integer("d_kv"),
              config.integer("num_heads"),
              config.integer("d_ff"),
              shapes.count(layout.blocks(), config, "num_layers"),
              config.integer("relative_attention_num_buckets", 32),
              config.integer("relative_attention_max_distance", 128),
              config.number("layer_norm_epsilon", 1e-6));
      return plan(
          FluxNetwork.TEXT_ENCODER_2,
          files,
          architecture,
          NetworkProgram.of(architecture),
          TextEncoderNames.t5(files.names()));
    } catch (IllegalArgumentException | ArithmeticException e) {
      throw impossible(files, e);
    }
  }

  private static Map<String, NetworkProgram> transformerPrograms(FluxArchitecture architecture) {
    Map<String, NetworkProgram> programs = new LinkedHashMap<>();
    programs.put(FluxBundle.MODULATION, NetworkProgram.modulation(architecture));
    programs.put(FluxNetwork.TRANSFORMER.fileName(), NetworkProgram.of(architecture));
    return programs;
  }

  /** The decoder, and the encoder if the file has one that needs nothing but itself. */
  private static Map<String, NetworkProgram> vaePrograms(
      HeaderShapes shapes, VaeArchitecture architecture, String encoderLevels) throws IOException {
    Map<String, NetworkProgram> programs = new LinkedHashMap<>();
    if (shapes.count(encoderLevels) > 0 && !shapes.has("quant_conv.weight")) {
      programs.put(FluxBundle.VAE_ENCODER, NetworkProgram.encoder(architecture));
    }
    programs.put(FluxNetwork.VAE_DECODER.fileName(), NetworkProgram.of(architecture));
    return programs;
  }

  private static NetworkPlan plan(
      FluxNetwork network,
      TensorFiles files,
      Architecture architecture,
      NetworkProgram program,
      NameRules rules)
      throws IOException {
    return plan(network, files, architecture, Map.of(network.fileName(), program), rules);
  }

  private static NetworkPlan plan(
      FluxNetwork network,
      TensorFiles files,
      Architecture architecture,
      Map<String, NetworkProgram> programs,
      NameRules rules)
      throws IOException {
    return new NetworkPlan(
        network,
        files,
        architecture,
        programs,
        TensorMapping.of(network, files, rules, NetworkPlan.tensors(programs)));
  }

  private static ConfigFile required(TensorFiles files, Optional<ConfigFile> config)
      throws IOException {
    return config.orElseThrow(
        () ->
            new CheckpointException(
                files.source().resolveSibling("config.json")
                    + ": expected the configuration of "
                    + files.source().getFileName()
                    + ", found nothing; download it with the weights"));
  }

  private static CheckpointException impossible(TensorFiles files, RuntimeException e) {
    return new CheckpointException(
        files.source() + ": no network has these sizes: " + e.getMessage(), e);
  }

  private static String examples(TensorFiles files) {
    List<String> names = files.names().stream().limit(3).map(n -> "'" + n + "'").toList();
    return names.isEmpty() ? "no tensors" : String.join(", ", names) + ", ...";
  }

  /** The configuration of weights: named by the caller, or {@code config.json} beside them. */
  static Optional<ConfigFile> config(Path weights, Optional<Path> given, String className)
      throws IOException {
    if (given.isPresent()) {
      return Optional.of(ConfigFile.read(given.get()));
    }
    Optional<ConfigFile> beside =
        ConfigFile.readIfPresent(
            Files.isDirectory(weights)
                ? weights.resolve("config.json")
                : weights.toAbsolutePath().resolveSibling("config.json"));
    if (beside.isEmpty() || Files.isDirectory(weights)) {
      return beside;
    }
    // single files may lie beside the configuration of something else
    String found = beside.get().string("_class_name").orElse(className);
    return found.equals(className) ? beside : Optional.empty();
  }
}
