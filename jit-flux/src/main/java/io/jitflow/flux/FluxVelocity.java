package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.VelocityModel;
import io.jitflow.flux.network.FluxTransformer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.Optional;

/**
 * FLUX.1 for one prompt, as the samplers see it.
 *
 * @param networks holds the transformer, and the modulation for noise levels that a sampler did not
 *     announce; borrowed
 * @param transformer the network, borrowed
 * @param prompt what to draw, borrowed
 * @param negative what to avoid, borrowed
 * @param trueCfgScale the scale of true classifier-free guidance, used with a negative prompt
 * @param guidance the input of the guidance embedding
 */
record FluxVelocity(
    LoadedNetworks networks,
    FluxTransformer transformer,
    Branch prompt,
    Optional<Branch> negative,
    double trueCfgScale,
    double guidance)
    implements VelocityModel {

  /**
   * One side of the guidance.
   *
   * @param text the prompt
   * @param modulation the prompt's modulation; empty if the transformer modulates by itself
   */
  record Branch(PromptEmbedding text, Optional<Modulation> modulation) {}

  @Override
  public NDArray velocity(NDArray tokens, ActiveTokens at, double sigma) {
    NDArray wanted = velocity(prompt, tokens, at, sigma);
    if (negative.isEmpty()) {
      return wanted;
    }
    NDArray unwanted = velocity(negative.get(), tokens, at, sigma);
    // a module's results cannot be changed in place
    return wanted.sub(unwanted).muli((float) trueCfgScale).addi(unwanted);
  }

  private NDArray velocity(Branch branch, NDArray tokens, ActiveTokens at, double sigma) {
    PromptEmbedding text = branch.text();
    if (!transformer.takesModulation()) {
      return transformer.velocity(
          tokens, at.positions(), text.tokens(), text.pooled(), sigma, guidance);
    }
    Modulation modulation = branch.modulation().orElseThrow();
    NDArray rows = modulation.at(sigma);
    if (rows == null) {
      try {
        modulation.add(networks.modulation(), text, new double[] {sigma}, guidance);
        rows = Objects.requireNonNull(modulation.at(sigma));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return transformer.velocity(tokens, at.positions(), text.tokens(), rows);
  }
}
