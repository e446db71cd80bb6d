package io.jitflow.flux.program;

import io.jitflow.flux.network.VaeArchitecture;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Tensors and classes of the two halves of the VAE. */
final class VaeProgram {
  private static final String DECODER = "vae_decoder";
  private static final String ENCODER = "vae_encoder";
  private static final String LAYERS = "vae_layers";
  private static final int IMAGE_CHANNELS = 3;

  private VaeProgram() {}

  static NetworkProgram decoder(VaeArchitecture a) {
    ModuleTree tree =
        new ModuleTree(DECODER, "AutoEncoder")
            .rule("decoder", "Decoder")
            .rule("decoder\\.up", "Up");
    List<Map<String, String>> decodingOrder = new ArrayList<>();
    for (int level = a.blockChannels().size() - 1; level >= 0; level--) {
      String resolution = level > 0 ? DECODER + ".Upsampling" : LAYERS + ".";
      decodingOrder.add(level(tree, "decoder\\.up\\.", a, level, inChannels(a, level), resolution));
    }
    shared(tree.rule(".*\\.upsample", "Upsample"), a)
        .constant("", "scaling_factor", a.scalingFactor())
        .constant("", "shift_factor", a.shiftFactor());
    String code =
        new ProgramText(DECODER + ".py")
            .repeat("level", decodingOrder)
            .option("post_quant_conv", a.usePostQuantConv())
            .render();
    return new NetworkProgram(
        DECODER, decoderTensors(a), codeFiles(DECODER, code, a.layersPerBlock() + 1), tree);
  }

  static NetworkProgram encoder(VaeArchitecture a) {
    int coarsest = a.blockChannels().size() - 1;
    ModuleTree tree =
        new ModuleTree(ENCODER, "AutoEncoder")
            .rule("encoder", "Encoder")
            .rule("encoder\\.down", "Down");
    List<Map<String, String>> encodingOrder = new ArrayList<>();
    for (int level = 0; level <= coarsest; level++) {
      String resolution = level < coarsest ? ENCODER + ".Downsampling" : LAYERS + ".";
      encodingOrder.add(
          level(tree, "encoder\\.down\\.", a, level, encoderInChannels(a, level), resolution));
    }
    shared(tree.rule(".*\\.downsample", "Downsample"), a);
    String code = new ProgramText(ENCODER + ".py").repeat("level", encodingOrder).render();
    return new NetworkProgram(
        ENCODER, encoderTensors(a), codeFiles(ENCODER, code, a.layersPerBlock()), tree);
  }

  /**
   * Adds the classes of a level, which depend on what it does to channels and to the resolution.
   *
   * @return its number and class, for the program's text
   */
  private static Map<String, String> level(
      ModuleTree tree, String levels, VaeArchitecture a, int level, int in, String resolution) {
    boolean widens = in != a.blockChannels().get(level);
    String levelClass = resolution + (widens ? "LevelWidening" : "Level");
    tree.rule(levels + level, levelClass);
    tree.rule(levels + level + "\\.block", LAYERS + (widens ? ".WideningBlocks" : ".Blocks"));
    if (widens) {
      tree.rule(levels + level + "\\.block\\.0", LAYERS + ".WideningResnetBlock");
    }
    return Map.of("level", Integer.toString(level), "class", levelClass);
  }

  /** Classes that both halves have. */
  private static ModuleTree shared(ModuleTree tree, VaeArchitecture a) {
    return tree.rule("(en|de)coder\\.mid", LAYERS + ".Middle")
        .rule("(en|de)coder\\.mid\\.attn_1", LAYERS + ".AttnBlock")
        .rule("(en|de)coder\\.mid\\.block_\\d", LAYERS + ".ResnetBlock")
        .rule(".*\\.(up|down)\\.\\d+\\.block\\.\\d+", LAYERS + ".ResnetBlock")
        .rule(".*\\.norm(1|2|_out)?", LAYERS + ".GroupNorm")
        .rule(".*\\.(conv_in|conv_out|conv1|conv2|conv)", LAYERS + ".Conv3x3")
        .rule(".*", LAYERS + ".Conv1x1")
        .constant(".*\\.norm(1|2|_out)?", "groups", (long) a.normGroups());
  }

  private static Map<String, String> codeFiles(String name, String code, int blocksPerLevel) {
    String layers =
        new ProgramText(LAYERS + ".py")
            .repeat("block", blocksPerLevel)
            .repeat("later_block", later(blocksPerLevel - 1))
            .render();
    return Map.of(name, code, LAYERS, layers);
  }

  private static List<Map<String, String>> later(int count) {
    List<Map<String, String>> entries = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      entries.add(Map.of("block", Integer.toString(i)));
    }
    return entries;
  }

  /** Channels that enter a level; decoding runs from the coarsest level to level 0. */
  private static int inChannels(VaeArchitecture a, int level) {
    return a.blockChannels().get(Math.min(level + 1, a.blockChannels().size() - 1));
  }

  private static TensorShapes decoderTensors(VaeArchitecture a) {
    int levels = a.blockChannels().size();
    long coarsest = a.blockChannels().get(levels - 1);
    TensorShapes shapes = new TensorShapes();
    if (a.usePostQuantConv()) {
      shapes.conv("post_quant_conv", a.latentChannels(), a.latentChannels(), 1);
    }
    shapes.conv("decoder.conv_in", coarsest, a.latentChannels(), 3);
    middle(shapes, "decoder.mid", coarsest);
    for (int level = levels - 1; level >= 0; level--) {
      long out = a.blockChannels().get(level);
      for (int block = 0; block <= a.layersPerBlock(); block++) {
        long in = block == 0 ? inChannels(a, level) : out;
        resnet(shapes, "decoder.up." + level + ".block." + block, out, in);
      }
      if (level > 0) {
        shapes.conv("decoder.up." + level + ".upsample.conv", out, out, 3);
      }
    }
    long finest = a.blockChannels().get(0);
    return shapes
        .norm("decoder.norm_out", finest)
        .conv("decoder.conv_out", IMAGE_CHANNELS, finest, 3);
  }

  /** Channels that enter a level of the encoder, which runs from level 0 to the coarsest. */
  private static int encoderInChannels(VaeArchitecture a, int level) {
    return a.blockChannels().get(Math.max(level - 1, 0));
  }

  private static TensorShapes encoderTensors(VaeArchitecture a) {
    int levels = a.blockChannels().size();
    TensorShapes shapes =
        new TensorShapes().conv("encoder.conv_in", a.blockChannels().get(0), IMAGE_CHANNELS, 3);
    for (int level = 0; level < levels; level++) {
      long out = a.blockChannels().get(level);
      for (int block = 0; block < a.layersPerBlock(); block++) {
        long in = block == 0 ? encoderInChannels(a, level) : out;
        resnet(shapes, "encoder.down." + level + ".block." + block, out, in);
      }
      if (level < levels - 1) {
        shapes.conv("encoder.down." + level + ".downsample.conv", out, out, 3);
      }
    }
    long coarsest = a.blockChannels().get(levels - 1);
    middle(shapes, "encoder.mid", coarsest);
    return shapes
        .norm("encoder.norm_out", coarsest)
        .conv("encoder.conv_out", 2L * a.latentChannels(), coarsest, 3);
  }

  private static void middle(TensorShapes shapes, String name, long channels) {
    resnet(shapes, name + ".block_1", channels, channels);
    shapes.norm(name + ".attn_1.norm", channels);
    for (String projection : new String[] {"q", "k", "v", "proj_out"}) {
      shapes.conv(name + ".attn_1." + projection, channels, channels, 1);
    }
    resnet(shapes, name + ".block_2", channels, channels);
  }

  private static void resnet(TensorShapes shapes, String name, long out, long in) {
    shapes
        .norm(name + ".norm1", in)
        .conv(name + ".conv1", out, in, 3)
        .norm(name + ".norm2", out)
        .conv(name + ".conv2", out, out, 3);
    if (in != out) {
      shapes.conv(name + ".nin_shortcut", out, in, 1);
    }
  }
}
