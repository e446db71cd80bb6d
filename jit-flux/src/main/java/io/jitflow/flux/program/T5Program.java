package io.jitflow.flux.program;

import io.jitflow.flux.network.T5Architecture;
import java.util.Map;

/** The T5 encoder's tensors and classes. */
final class T5Program {
  private static final String NAME = "t5_encoder";
  private static final String BIAS =
      "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight";

  private T5Program() {}

  static NetworkProgram of(T5Architecture a, WeightFormat format) {
    String code =
        new ProgramText(NAME + ".py")
            .variable("Projection", format.projection())
            .option("int8", format == WeightFormat.INT8)
            .option("floating", format == WeightFormat.FLOATING)
            .repeat("block", a.layers())
            .render();
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
            .rule(".*", "layers." + format.projection())
            .constant(".*\\.SelfAttention", "heads", (long) a.heads())
            .constant(".*layer_norm", "eps", a.layerNormEps())
            .constant("encoder\\.relative_attention_bias", "buckets", (long) a.buckets())
            .constant("encoder\\.relative_attention_bias", "max_distance", (long) a.maxDistance());
    return new NetworkProgram(
        NAME,
        tensors(a, format),
        Map.of(NAME, code, "layers", new ProgramText("layers.py").render()),
        tree);
  }

  private static TensorShapes tensors(T5Architecture a, WeightFormat format) {
    long width = a.width();
    long inner = (long) a.heads() * a.headWidth();
    TensorShapes shapes = new TensorShapes().tensor("shared.weight", a.vocabulary(), width);
    for (int i = 0; i < a.layers(); i++) {
      String attention = "encoder.block." + i + ".layer.0";
      for (String projection : new String[] {"q", "k", "v"}) {
        format.projection(shapes, attention + ".SelfAttention." + projection, inner, width);
      }
      format.projection(shapes, attention + ".SelfAttention.o", width, inner);
      if (i == 0) {
        shapes.tensor(BIAS, a.buckets(), a.heads());
      }
      shapes.tensor(attention + ".layer_norm.weight", width);
      String feedForward = "encoder.block." + i + ".layer.1";
      format.projection(shapes, feedForward + ".DenseReluDense.wi_0", a.feedForwardWidth(), width);
      format.projection(shapes, feedForward + ".DenseReluDense.wi_1", a.feedForwardWidth(), width);
      format.projection(shapes, feedForward + ".DenseReluDense.wo", width, a.feedForwardWidth());
      shapes.tensor(feedForward + ".layer_norm.weight", width);
    }
    return shapes.tensor("encoder.final_layer_norm.weight", width);
  }
}
