package io.jitflow.flux.naming;

import io.jitflow.flux.weights.FluxNetwork;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The published layouts of the networks, and how they are told apart: by the names of blocks. */
public enum Layout {
  /** diffusers' transformer. */
  DIFFUSERS_TRANSFORMER(FluxNetwork.TRANSFORMER, "transformer_blocks."),
  /** The original release's transformer. */
  ORIGINAL_TRANSFORMER(FluxNetwork.TRANSFORMER, "double_blocks."),
  /** diffusers' autoencoder. */
  DIFFUSERS_VAE(FluxNetwork.VAE_DECODER, "decoder.up_blocks."),
  /** The original release's autoencoder. */
  ORIGINAL_VAE(FluxNetwork.VAE_DECODER, "decoder.up."),
  /** CLIP's text half, as transformers writes it. */
  CLIP(FluxNetwork.TEXT_ENCODER, "text_model.encoder.layers."),
  /** The same without the prefix. */
  BARE_CLIP(FluxNetwork.TEXT_ENCODER, "encoder.layers."),
  /** T5's encoder. */
  T5(FluxNetwork.TEXT_ENCODER_2, "encoder.block.");

  private static final String COMFY_PREFIX = "model.diffusion_model.";

  /** How files with a whole model in them begin the names of its parts. */
  private static final List<List<String>> PARTS =
      List.of(
          List.of(COMFY_PREFIX, "double_blocks.", "transformer_blocks."),
          List.of("vae.", "first_stage_model."),
          List.of("text_encoders.", "cond_stage_model.", "conditioner."));

  private final FluxNetwork network;
  private final String blocks;
  private final Pattern block;

  Layout(FluxNetwork network, String blocks) {
    this.network = network;
    this.blocks = blocks;
    this.block = Pattern.compile(Pattern.quote(blocks) + "\\d.*", Pattern.DOTALL);
  }

  /**
   * Tells which layout a file has.
   *
   * @param names the names of its tensors, also behind a {@link #prefix}
   * @return the layout; empty if it is none of FLUX.1's networks
   */
  public static Optional<Layout> of(Collection<String> names) {
    return Stream.of(values()).filter(layout -> layout.hasBlocks(names)).findFirst();
  }

  /**
   * Tells which layout a file has that should be a certain network's.
   *
   * @param network the network
   * @param names the names of its tensors, also behind a {@link #prefix}
   * @return the layout; empty if it is another network
   */
  public static Optional<Layout> of(FluxNetwork network, Collection<String> names) {
    return Stream.of(values())
        .filter(layout -> layout.network == network && layout.hasBlocks(names))
        .findFirst();
  }

  /**
   * Tells behind which prefix a file has its tensors: ComfyUI writes {@code
   * model.diffusion_model.double_blocks.0...} where others begin with {@code double_blocks}.
   *
   * @param names the names of its tensors
   * @return the prefix of all of them, or ""
   */
  public static String prefix(Collection<String> names) {
    boolean all =
        !names.isEmpty() && names.stream().allMatch(name -> name.startsWith(COMFY_PREFIX));
    return all ? COMFY_PREFIX : "";
  }

  /**
   * Tells of which parts a file with more than one network is made.
   *
   * @param names the names of its tensors
   * @return how the names of each part begin; empty if it holds one part or is not known
   */
  public static List<String> parts(Collection<String> names) {
    List<String> found =
        PARTS.stream()
            .flatMap(
                part ->
                    part.stream()
                        .filter(prefix -> names.stream().anyMatch(n -> n.startsWith(prefix)))
                        .limit(1))
            .toList();
    return found.size() > 1 ? found : List.of();
  }

  private boolean hasBlocks(Collection<String> names) {
    int start = prefix(names).length();
    return names.stream().anyMatch(name -> block.matcher(name.substring(start)).matches());
  }

  /** {@return whose layout it is} */
  public FluxNetwork network() {
    return network;
  }

  /** {@return the prefix of the numbered blocks, or levels, by which it is known} */
  public String blocks() {
    return blocks;
  }
}
