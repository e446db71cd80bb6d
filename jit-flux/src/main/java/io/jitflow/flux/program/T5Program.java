package io.jitflow.flux.program;

import io.jitflow.flux.network.T5Architecture;
import java.util.Map;

/** The T5 encoder's tensors and classes. */
final class T5Program {
  private static final String NAME = "t5_encoder";
  private static final String BIAS =
      "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

  private T5Program() {}

  static NetworkProgram of(T5Architecture a) {
    String code = new ProgramText(NAME + ".py").repeat("block", a.layers()).render();
    ModuleTree tree =
        new ModuleTree(NAME, "T5Encoder")
            .move(BIAS, "encoder.relative_attention_bias.weight")
            .rule("shared", "layers.Embedding")
            .rule("encoder", "T5Stack")
            .rule("encoder\\.relative_attention_bias", "RelativeAttentionBias")
            .rule("encoder\\.block", "T5Blocks")
            .rule("encoder\\.block\\.\\d+", "T5Block")
            .rule(".*\\.layer", "T5BlockLayers")
            .rule(".*\\.layer\\.0", "T5LayerSelfAttention")
            .rule(".*\\.layer\\.1", "T5LayerFF")
            .rule(".*\\.SelfAttention", "T5Attention")
            .rule(".*\\.DenseReluDense", "T5DenseGatedGelu")
            .rule(".*layer_norm", "T5LayerNorm")
            .rule(".*", "layers.Projection")
            .constant(".*\\.SelfAttention", "heads", (long) a.heads())
            .constant(".*layer_norm", "eps", a.layerNormEps())
            .constant("encoder\\.relative_attention_bias", "buckets", (long) a.buckets())
            .constant("encoder\\.relative_attention_bias", "max_distance", (long) a.maxDistance());
    return new NetworkProgram(
        NAME,
        tensors(a),
        Map.of(NAME, code, "layers", new ProgramText("layers.py").render()),
        tree);
  }

  private static Map<String, long[]> tensors(T5Architecture a) {
    long width = a.width();
    long inner = (long) a.heads() * a.headWidth();
    TensorShapes shapes = new TensorShapes().tensor("shared.weight", a.vocabulary(), width);
    for (int i = 0; i < a.layers(); i++) {
      String attention = "encoder.block." + i + ".layer.0";
      for (String projection : new String[] {"q", "k", "v"}) {
        shapes.tensor(attention + ".SelfAttention." + projection + ".weight", inner, width);
      }
      shapes.tensor(attention + ".SelfAttention.o.weight", width, inner);
      if (i == 0) {
        shapes.tensor(BIAS, a.buckets(), a.heads());
      }
      shapes.tensor(attention + ".layer_norm.weight", width);
      String feedForward = "encoder.block." + i + ".layer.1";
      shapes
          .tensor(feedForward + ".DenseReluDense.wi_0.weight", a.feedForwardWidth(), width)
          .tensor(feedForward + ".DenseReluDense.wi_1.weight", a.feedForwardWidth(), width)
          .tensor(feedForward + ".DenseReluDense.wo.weight", width, a.feedForwardWidth())
          .tensor(feedForward + ".layer_norm.weight", width);
    }
    return shapes.tensor("encoder.final_layer_norm.weight", width).map();
  }
}
