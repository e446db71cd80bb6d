package io.jitflow.flux.program;

import io.jitflow.flux.network.VaeArchitecture;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The VAE decoder's tensors and classes. */
final class VaeProgram {
  private static final String NAME = "vae_decoder";
  private static final int IMAGE_CHANNELS = 3;

  private VaeProgram() {}

  static NetworkProgram of(VaeArchitecture a) {
    int levels = a.blockChannels().size();
    ModuleTree tree =
        new ModuleTree(NAME, "AutoEncoder")
            .rule("decoder", "Decoder")
            .rule("decoder\\.mid", "Middle")
            .rule("decoder\\.mid\\.attn_1", "AttnBlock")
            .rule("decoder\\.mid\\.block_\\d", "ResnetBlock")
            .rule("decoder\\.up", "Up");
    List<Map<String, String>> decodingOrder = new ArrayList<>();
    for (int level = levels - 1; level >= 0; level--) {
      boolean widens = inChannels(a, level) != a.blockChannels().get(level);
      String levelClass = (level > 0 ? "UpsamplingLevel" : "Level") + (widens ? "Widening" : "");
      decodingOrder.add(Map.of("level", Integer.toString(level), "class", levelClass));
      String path = "decoder\\.up\\." + level;
      tree.rule(path, levelClass);
      tree.rule(path + "\\.block", widens ? "WideningBlocks" : "Blocks");
      if (widens) {
        tree.rule(path + "\\.block\\.0", "WideningResnetBlock");
      }
    }
    tree.rule("decoder\\.up\\.\\d+\\.block\\.\\d+", "ResnetBlock")
        .rule(".*\\.upsample", "Upsample")
        .rule(".*\\.norm(1|2|_out)?", "GroupNorm")
        .rule(".*\\.(conv_in|conv_out|conv1|conv2|conv)", "Conv3x3")
        .rule(".*", "Conv1x1")
        .constant(".*\\.norm(1|2|_out)?", "groups", (long) a.normGroups())
        .constant("", "scaling_factor", a.scalingFactor())
        .constant("", "shift_factor", a.shiftFactor());
    String code =
        new ProgramText(NAME + ".py")
            .repeat("level", decodingOrder)
            .repeat("block", a.layersPerBlock() + 1)
            .repeat("later_block", later(a.layersPerBlock()))
            .option("post_quant_conv", a.usePostQuantConv())
            .render();
    return new NetworkProgram(NAME, tensors(a), Map.of(NAME, code), tree);
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

  private static TensorShapes tensors(VaeArchitecture a) {
    int levels = a.blockChannels().size();
    long coarsest = a.blockChannels().get(levels - 1);
    TensorShapes shapes = new TensorShapes();
    if (a.usePostQuantConv()) {
      shapes.conv("post_quant_conv", a.latentChannels(), a.latentChannels(), 1);
    }
    shapes.conv("decoder.conv_in", coarsest, a.latentChannels(), 3);
    resnet(shapes, "decoder.mid.block_1", coarsest, coarsest);
    shapes.norm("decoder.mid.attn_1.norm", coarsest);
    for (String projection : new String[] {"q", "k", "v", "proj_out"}) {
      shapes.conv("decoder.mid.attn_1." + projection, coarsest, coarsest, 1);
    }
    resnet(shapes, "decoder.mid.block_2", coarsest, coarsest);
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
