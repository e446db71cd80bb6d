package io.jitflow.flux.program;

import io.jitflow.flux.network.FluxArchitecture;
import java.util.Map;

/** The transformer's tensors and classes. */
final class FluxProgram {
  private static final String NAME = "flux_transformer";
  private static final int SINUSOID_WIDTH = 256;

  private FluxProgram() {}

  static NetworkProgram of(FluxArchitecture a) {
    String code =
        new ProgramText(NAME + ".py")
            .repeat("double_block", a.doubleBlocks())
            .repeat("single_block", a.singleBlocks())
            .option("guidance", a.guidanceEmbedding())
            .render();
    ModuleTree tree =
        new ModuleTree(NAME, "Flux")
            .rule("double_blocks", "DoubleBlocks")
            .rule("double_blocks\\.\\d+", "DoubleStreamBlock")
            .rule("single_blocks", "SingleBlocks")
            .rule("single_blocks\\.\\d+", "SingleStreamBlock")
            .rule("(time|guidance|vector)_in", "MLPEmbedder")
            .rule("final_layer", "LastLayer")
            .rule("final_layer\\.adaLN_modulation", "AdaLN")
            .rule(".*\\.(img|txt)_attn", "SelfAttention")
            .rule(".*\\.(img|txt)_mlp", "MLP")
            .rule(".*\\.((img|txt)_mod|modulation)", "Modulation")
            .rule(".*\\.norm", "QKNorm")
            .rule(".*\\.(query|key)_norm", "RMSNorm")
            .rule(".*", "layers.Linear")
            .constant("", "theta", a.theta())
            .constant("", "row_axis", (long) a.ropeAxes().get(1))
            .constant("", "column_axis", (long) a.ropeAxes().get(2))
            .constant("", "first_axis", (long) a.ropeAxes().get(0))
            .constant("(double|single)_blocks\\.\\d+", "heads", (long) a.heads());
    return new NetworkProgram(
        NAME,
        tensors(a),
        Map.of(NAME, code, "layers", new ProgramText("layers.py").render()),
        tree);
  }

  private static Map<String, long[]> tensors(FluxArchitecture a) {
    long hidden = a.hiddenSize();
    TensorShapes shapes =
        new TensorShapes()
            .linear("img_in", hidden, a.inChannels())
            .linear("txt_in", hidden, a.textWidth());
    embedder(shapes, "time_in", SINUSOID_WIDTH, hidden);
    if (a.guidanceEmbedding()) {
      embedder(shapes, "guidance_in", SINUSOID_WIDTH, hidden);
    }
    embedder(shapes, "vector_in", a.pooledWidth(), hidden);
    for (int i = 0; i < a.doubleBlocks(); i++) {
      for (String stream : new String[] {"img", "txt"}) {
        String block = "double_blocks." + i + "." + stream;
        shapes.linear(block + "_mod.lin", 6 * hidden, hidden);
        shapes.linear(block + "_attn.qkv", 3 * hidden, hidden);
        shapes.tensor(block + "_attn.norm.query_norm.scale", a.headWidth());
        shapes.tensor(block + "_attn.norm.key_norm.scale", a.headWidth());
        shapes.linear(block + "_attn.proj", hidden, hidden);
        shapes.linear(block + "_mlp.0", a.mlpWidth(), hidden);
        shapes.linear(block + "_mlp.2", hidden, a.mlpWidth());
      }
    }
    for (int i = 0; i < a.singleBlocks(); i++) {
      String block = "single_blocks." + i;
      shapes.linear(block + ".linear1", 3 * hidden + a.mlpWidth(), hidden);
      shapes.linear(block + ".linear2", hidden, hidden + a.mlpWidth());
      shapes.tensor(block + ".norm.query_norm.scale", a.headWidth());
      shapes.tensor(block + ".norm.key_norm.scale", a.headWidth());
      shapes.linear(block + ".modulation.lin", 3 * hidden, hidden);
    }
    return shapes
        .linear("final_layer.linear", a.inChannels(), hidden)
        .linear("final_layer.adaLN_modulation.1", 2 * hidden, hidden)
        .map();
  }

  private static void embedder(TensorShapes shapes, String name, long in, long hidden) {
    shapes.linear(name + ".in_layer", hidden, in).linear(name + ".out_layer", hidden, hidden);
  }
}
