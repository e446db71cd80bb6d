package io.jitflow.flux.naming;

import io.jitflow.flux.weights.FluxNetwork;
import java.util.Collection;
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
   * @param names the names of its tensors
   * @return the layout; empty if it is none of FLUX.1's networks
   */
  public static Optional<Layout> of(Collection<String> names) {
    return Stream.of(values()).filter(layout -> layout.hasBlocks(names)).findFirst();
  }

  /**
   * Tells which layout a file has that should be a certain network's.
   *
   * @param network the network
   * @param names the names of its tensors
   * @return the layout; empty if it is another network
   */
  public static Optional<Layout> of(FluxNetwork network, Collection<String> names) {
    return Stream.of(values())
        .filter(layout -> layout.network == network && layout.hasBlocks(names))
        .findFirst();
  }

  private boolean hasBlocks(Collection<String> names) {
    return names.stream().anyMatch(name -> block.matcher(name).matches());
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
