package io.jitflow.flux.adapter;

import io.jitflow.flux.naming.TensorExpression;
import io.jitflow.flux.naming.TransformerNames;
import io.jitflow.flux.weights.FluxNetwork;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The names under which adapters know the matrices of a model.
 *
 * <p>Kohya's tools write a layer's path with underscores behind {@code lora_unet_}, {@code
 * lora_te1_} (CLIP) or {@code lora_te3_} (T5). Others write it with dots: bare or behind {@code
 * diffusion_model.} with the original release's names, behind {@code transformer.} with those of
 * diffusers; text encoders stand behind {@code text_encoder.} and {@code text_encoder_2.}. XLabs
 * has names of its own for the attention layers. Either spelling of a path is accepted behind every
 * prefix.
 */
final class LayerNames {
  private static final String WEIGHT = ".weight";
  private static final List<String> TRANSFORMER_DOTTED =
      List.of(
          "", "transformer.", "diffusion_model.", "model.diffusion_model.", "base_model.model.");
  private static final List<String> TRANSFORMER_FLAT = List.of("lora_unet_", "lora_transformer_");
  private static final List<String> CLIP_DOTTED =
      List.of("text_encoder.", "text_encoders.clip_l.transformer.");
  private static final List<String> CLIP_FLAT = List.of("lora_te1_", "lora_te_");
  private static final List<String> T5_DOTTED =
      List.of("text_encoder_2.", "text_encoders.t5xxl.transformer.");
  private static final List<String> T5_FLAT = List.of("lora_te3_", "lora_te2_");

  /**
   * The rows of one matrix of our program that a layer of an adapter changes.
   *
   * @param network the network
   * @param tensor the program's name of the matrix
   * @param firstRow first row that the layer changes
   * @param rows how many
   * @param columns the matrix's columns
   * @param halvesSwapped whether the layer counts the second half of the rows first
   */
  record Target(
      FluxNetwork network,
      String tensor,
      long firstRow,
      long rows,
      long columns,
      boolean halvesSwapped) {}

  private final Map<String, Target> targets = new HashMap<>();

  /**
   * Collects the names.
   *
   * @param tensors shapes of every network's tensors
   */
  LayerNames(Map<FluxNetwork, Map<String, long[]>> tensors) {
    tensors.forEach(
        (network, shapes) ->
            shapes.forEach(
                (tensor, shape) -> {
                  if (shape.length == 2 && tensor.endsWith(WEIGHT)) {
                    add(network, tensor, shape);
                  }
                }));
  }

  /** The matrix that a layer changes. */
  Optional<Target> find(String layer) {
    return Optional.ofNullable(targets.get(layer));
  }

  private void add(FluxNetwork network, String tensor, long[] shape) {
    String module = tensor.substring(0, tensor.length() - WEIGHT.length());
    Target whole = new Target(network, tensor, 0, shape[0], shape[1], false);
    switch (network) {
      case TEXT_ENCODER -> add(CLIP_DOTTED, CLIP_FLAT, module, whole);
      case TEXT_ENCODER_2 -> add(T5_DOTTED, T5_FLAT, module, whole);
      case TRANSFORMER -> {
        add(TRANSFORMER_DOTTED, TRANSFORMER_FLAT, module, whole);
        addDiffusers(tensor, whole);
        addXlabs(module, whole);
      }
      default -> {} // nobody adapts the autoencoder
    }
  }

  private void add(List<String> dotted, List<String> flat, String module, Target target) {
    dotted.forEach(prefix -> targets.put(prefix + module, target));
    flat.forEach(prefix -> targets.put(prefix + module.replace('.', '_'), target));
  }

  private void addDiffusers(String tensor, Target whole) {
    TensorExpression made = TransformerNames.DIFFUSERS.source().apply(tensor);
    long row = 0;
    for (int i = 0; i < made.inputs().size(); i++) {
      String input = made.inputs().get(i);
      // queries, keys and values are square; what follows them has the rest
      boolean last = i == made.inputs().size() - 1;
      long rows = last ? whole.rows() - row : whole.columns();
      add(
          TRANSFORMER_DOTTED,
          TRANSFORMER_FLAT,
          input.substring(0, input.length() - WEIGHT.length()),
          new Target(
              whole.network(),
              tensor,
              row,
              rows,
              whole.columns(),
              made instanceof TensorExpression.HalvesSwapped));
      row += rows;
    }
  }

  private void addXlabs(String module, Target whole) {
    String[] path = module.split("\\.", 3);
    if (path.length < 3) {
      return;
    }
    String processor = path[0] + "." + path[1] + ".processor.";
    switch (path[2]) {
      case "img_attn.qkv" -> targets.put(processor + "qkv_lora1", whole);
      case "txt_attn.qkv" -> targets.put(processor + "qkv_lora2", whole);
      case "img_attn.proj" -> targets.put(processor + "proj_lora1", whole);
      case "txt_attn.proj" -> targets.put(processor + "proj_lora2", whole);
      case "linear2" -> targets.put(processor + "proj_lora", whole);
      case "linear1" ->
          targets.put(
              processor + "qkv_lora",
              new Target(
                  whole.network(), whole.tensor(), 0, 3 * whole.columns(), whole.columns(), false));
      default -> {} // XLabs adapts attention alone
    }
  }
}
