package io.jitflow.flux.program;

import io.jitflow.flux.network.ClipArchitecture;
import java.util.Map;

/** The CLIP text encoder's tensors and classes. */
final class ClipProgram {
  private static final String NAME = "clip_text_encoder";

  private ClipProgram() {}

  static NetworkProgram of(ClipArchitecture a) {
    String code =
        new ProgramText(NAME + ".py")
            .repeat("layer", a.layers())
            .option("quick_gelu", a.activation().equals("quick_gelu"))
            .option("gelu", a.activation().equals("gelu"))
            .render();
    ModuleTree tree =
        new ModuleTree(NAME, "CLIPTextEncoder")
            .rule("text_model", "CLIPTextTransformer")
            .rule("text_model\\.embeddings", "CLIPTextEmbeddings")
            .rule(".*_embedding", "layers.Embedding")
            .rule("text_model\\.encoder", "CLIPEncoder")
            .rule("text_model\\.encoder\\.layers", "CLIPLayers")
            .rule("text_model\\.encoder\\.layers\\.\\d+", "CLIPEncoderLayer")
            .rule(".*\\.self_attn", "CLIPAttention")
            .rule(".*\\.mlp", "CLIPMLP")
            .rule(".*layer_norm\\d?", "layers.LayerNorm")
            .rule(".*", "layers.Linear")
            .constant(".*\\.self_attn", "heads", (long) a.heads())
            .constant(".*layer_norm\\d?", "eps", a.layerNormEps())
            .constant("text_model", "eos_token_id", (long) a.eosTokenId());
    return new NetworkProgram(
        NAME,
        tensors(a),
        Map.of(NAME, code, "layers", new ProgramText("layers.py").render()),
        tree);
  }

  private static TensorShapes tensors(ClipArchitecture a) {
    long width = a.width();
    TensorShapes shapes =
        new TensorShapes()
            .tensor("text_model.embeddings.token_embedding.weight", a.vocabulary(), width)
            .tensor("text_model.embeddings.position_embedding.weight", a.positions(), width);
    for (int i = 0; i < a.layers(); i++) {
      String layer = "text_model.encoder.layers." + i;
      for (String projection : new String[] {"q_proj", "k_proj", "v_proj", "out_proj"}) {
        shapes.linear(layer + ".self_attn." + projection, width, width);
      }
      shapes
          .norm(layer + ".layer_norm1", width)
          .linear(layer + ".mlp.fc1", a.mlpWidth(), width)
          .linear(layer + ".mlp.fc2", width, a.mlpWidth())
          .norm(layer + ".layer_norm2", width);
    }
    return shapes.norm("text_model.final_layer_norm", width);
  }
}
