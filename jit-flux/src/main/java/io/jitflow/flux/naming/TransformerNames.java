package io.jitflow.flux.naming;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Names of the transformer's tensors. Our program has the names of the original release
 * (black-forest-labs/flux, {@code src/flux/model.py}); diffusers splits the fused projections and
 * exchanges the halves of the last modulation.
 */
public final class TransformerNames {
  /** The original release's names, which are those of our program. */
  public static final NameRules ORIGINAL =
      new NameRules("original", TensorExpression.Same::new, name -> false);

  /** The names of diffusers. */
  public static final NameRules DIFFUSERS =
      new NameRules("diffusers", TransformerNames::diffusers, name -> false);

  private static final Map<String, String> TOP =
      Map.ofEntries(
          Map.entry("img_in", "x_embedder"),
          Map.entry("txt_in", "context_embedder"),
          Map.entry("time_in.in_layer", "time_text_embed.timestep_embedder.linear_1"),
          Map.entry("time_in.out_layer", "time_text_embed.timestep_embedder.linear_2"),
          Map.entry("guidance_in.in_layer", "time_text_embed.guidance_embedder.linear_1"),
          Map.entry("guidance_in.out_layer", "time_text_embed.guidance_embedder.linear_2"),
          Map.entry("vector_in.in_layer", "time_text_embed.text_embedder.linear_1"),
          Map.entry("vector_in.out_layer", "time_text_embed.text_embedder.linear_2"),
          Map.entry("final_layer.linear", "proj_out"),
          Map.entry("final_layer.adaLN_modulation.1", "norm_out.linear"));

  private static final Map<String, List<String>> DOUBLE_BLOCK =
      Map.ofEntries(
          Map.entry("img_mod.lin", List.of("norm1.linear")),
          Map.entry("txt_mod.lin", List.of("norm1_context.linear")),
          Map.entry("img_attn.qkv", List.of("attn.to_q", "attn.to_k", "attn.to_v")),
          Map.entry(
              "txt_attn.qkv", List.of("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")),
          Map.entry("img_attn.norm.query_norm", List.of("attn.norm_q")),
          Map.entry("img_attn.norm.key_norm", List.of("attn.norm_k")),
          Map.entry("txt_attn.norm.query_norm", List.of("attn.norm_added_q")),
          Map.entry("txt_attn.norm.key_norm", List.of("attn.norm_added_k")),
          Map.entry("img_attn.proj", List.of("attn.to_out.0")),
          Map.entry("txt_attn.proj", List.of("attn.to_add_out")),
          Map.entry("img_mlp.0", List.of("ff.net.0.proj")),
          Map.entry("img_mlp.2", List.of("ff.net.2")),
          Map.entry("txt_mlp.0", List.of("ff_context.net.0.proj")),
          Map.entry("txt_mlp.2", List.of("ff_context.net.2")));

  private static final Map<String, List<String>> SINGLE_BLOCK =
      Map.of(
          "linear1", List.of("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
          "linear2", List.of("proj_out"),
          "modulation.lin", List.of("norm.linear"),
          "norm.query_norm", List.of("attn.norm_q"),
          "norm.key_norm", List.of("attn.norm_k"));

  private TransformerNames() {}

  private static TensorExpression diffusers(String tensor) {
    int dot = tensor.lastIndexOf('.');
    String module = tensor.substring(0, dot);
    String part = tensor.substring(dot + 1);
    // the scale of a q/k norm is called weight
    String suffix = part.equals("scale") ? ".weight" : "." + part;
    String top = TOP.get(module);
    if (top != null) {
      String name = top + suffix;
      return module.equals("final_layer.adaLN_modulation.1")
          ? new TensorExpression.HalvesSwapped(name)
          : new TensorExpression.Same(name);
    }
    String[] path = module.split("\\.", 3);
    boolean doubleBlock = path[0].equals("double_blocks");
    List<String> modules =
        Objects.requireNonNull((doubleBlock ? DOUBLE_BLOCK : SINGLE_BLOCK).get(path[2]), tensor);
    String block = (doubleBlock ? "transformer_blocks." : "single_transformer_blocks.") + path[1];
    List<String> names = modules.stream().map(m -> block + "." + m + suffix).toList();
    return names.size() == 1
        ? new TensorExpression.Same(names.get(0))
        : new TensorExpression.Rows(names);
  }
}
