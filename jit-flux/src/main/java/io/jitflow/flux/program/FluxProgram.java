package io.jitflow.flux.program;

import io.jitflow.flux.network.FluxArchitecture;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The tensors and classes of the transformer and of its modulation. */
final class FluxProgram {
  private static final String NAME = "flux_transformer";
  private static final String MODULATION = "flux_modulation";
  private static final int ROWS_PER_DOUBLE_BLOCK = 12;
  private static final int ROWS_PER_SINGLE_BLOCK = 3;
  private static final int SINUSOID_WIDTH = 256;

  private FluxProgram() {}

  static NetworkProgram of(FluxArchitecture a, WeightFormat format) {
    String code =
        new ProgramText(NAME + ".py")
            .variable("Linear", format.linear())
            .repeat("double_block", rows(0, a.doubleBlocks(), ROWS_PER_DOUBLE_BLOCK))
            .repeat(
                "single_block",
                rows(
                    a.doubleBlocks() * ROWS_PER_DOUBLE_BLOCK,
                    a.singleBlocks(),
                    ROWS_PER_SINGLE_BLOCK))
            .render();
    ModuleTree tree =
        new ModuleTree(NAME, "Flux")
            .rule("double_blocks", "DoubleBlocks")
            .rule("double_blocks\\.\\d+", "DoubleStreamBlock")
            .rule("single_blocks", "SingleBlocks")
            .rule("single_blocks\\.\\d+", "SingleStreamBlock")
            .rule("final_layer", "LastLayer")
            .rule(".*\\.(img|txt)_attn", "SelfAttention")
            .rule(".*\\.(img|txt)_mlp", "MLP")
            .rule(".*\\.norm", "QKNorm")
            .rule(".*\\.(query|key)_norm", "RMSNorm")
            .rule("(double|single)_blocks\\..*", "layers." + format.linear())
            .rule(".*", "layers.Linear")
            .constant("", "theta", a.theta())
            .constant("", "row_axis", (long) a.ropeAxes().get(1))
            .constant("", "column_axis", (long) a.ropeAxes().get(2))
            .constant("", "first_axis", (long) a.ropeAxes().get(0))
            .constant("(double|single)_blocks\\.\\d+", "heads", (long) a.heads());
    return new NetworkProgram(
        NAME,
        tensors(a, format),
        Map.of(NAME, code, "layers", new ProgramText("layers.py").render()),
        tree);
  }

  /** What depends on noise level, guidance and pooled prompt alone. */
  static NetworkProgram modulation(FluxArchitecture a) {
    String code =
        new ProgramText(MODULATION + ".py")
            .repeat("double_block", a.doubleBlocks())
            .repeat("single_block", a.singleBlocks())
            .option("guidance", a.guidanceEmbedding())
            .render();
    ModuleTree tree =
        new ModuleTree(MODULATION, "FluxModulation")
            .rule("double_blocks", "DoubleBlocks")
            .rule("double_blocks\\.\\d+", "DoubleStreamBlock")
            .rule("single_blocks", "SingleBlocks")
            .rule("single_blocks\\.\\d+", "SingleStreamBlock")
            .rule("(time|guidance|vector)_in", "MLPEmbedder")
            .rule("final_layer", "LastLayer")
            .rule("final_layer\\.adaLN_modulation", "AdaLN")
            .rule(".*\\.((img|txt)_mod|modulation)", "Modulation")
            .rule(".*", "layers.Linear");
    return new NetworkProgram(
        MODULATION,
        modulationTensors(a),
        Map.of(MODULATION, code, "layers", new ProgramText("layers.py").render()),
        tree);
  }

  /** The rows of each of so many blocks, the first of which has its rows at an offset. */
  private static List<Map<String, String>> rows(int offset, int blocks, int rowsPerBlock) {
    List<Map<String, String>> entries = new ArrayList<>();
    for (int i = 0; i < blocks; i++) {
      int begin = offset + i * rowsPerBlock;
      entries.add(
          Map.of("begin", Integer.toString(begin), "end", Integer.toString(begin + rowsPerBlock)));
    }
    return entries;
  }

  private static TensorShapes tensors(FluxArchitecture a, WeightFormat format) {
    long hidden = a.hiddenSize();
    TensorShapes shapes =
        new TensorShapes()
            .linear("img_in", hidden, a.inChannels())
            .linear("txt_in", hidden, a.textWidth());
    for (int i = 0; i < a.doubleBlocks(); i++) {
      for (String stream : new String[] {"img", "txt"}) {
        String block = "double_blocks." + i + "." + stream;
        format.linear(shapes, block + "_attn.qkv", 3 * hidden, hidden);
        shapes.tensor(block + "_attn.norm.query_norm.scale", a.headWidth());
        shapes.tensor(block + "_attn.norm.key_norm.scale", a.headWidth());
        format.linear(shapes, block + "_attn.proj", hidden, hidden);
        format.linear(shapes, block + "_mlp.0", a.mlpWidth(), hidden);
        format.linear(shapes, block + "_mlp.2", hidden, a.mlpWidth());
      }
    }
    for (int i = 0; i < a.singleBlocks(); i++) {
      String block = "single_blocks." + i;
      format.linear(shapes, block + ".linear1", 3 * hidden + a.mlpWidth(), hidden);
      format.linear(shapes, block + ".linear2", hidden, hidden + a.mlpWidth());
      shapes.tensor(block + ".norm.query_norm.scale", a.headWidth());
      shapes.tensor(block + ".norm.key_norm.scale", a.headWidth());
    }
    return shapes.linear("final_layer.linear", a.inChannels(), hidden);
  }

  private static TensorShapes modulationTensors(FluxArchitecture a) {
    long hidden = a.hiddenSize();
    TensorShapes shapes = new TensorShapes();
    embedder(shapes, "time_in", SINUSOID_WIDTH, hidden);
    if (a.guidanceEmbedding()) {
      embedder(shapes, "guidance_in", SINUSOID_WIDTH, hidden);
    }
    embedder(shapes, "vector_in", a.pooledWidth(), hidden);
    for (int i = 0; i < a.doubleBlocks(); i++) {
      shapes.linear("double_blocks." + i + ".img_mod.lin", 6 * hidden, hidden);
      shapes.linear("double_blocks." + i + ".txt_mod.lin", 6 * hidden, hidden);
    }
    for (int i = 0; i < a.singleBlocks(); i++) {
      shapes.linear("single_blocks." + i + ".modulation.lin", 3 * hidden, hidden);
    }
    return shapes.linear("final_layer.adaLN_modulation.1", 2 * hidden, hidden);
  }

  private static void embedder(TensorShapes shapes, String name, long in, long hidden) {
    shapes.linear(name + ".in_layer", hidden, in).linear(name + ".out_layer", hidden, hidden);
  }
}
