package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.VelocityModel;
import io.jitflow.flux.network.FluxTransformer;
import java.util.Optional;

/**
 * FLUX.1 for one prompt, as the samplers see it.
 *
 * @param transformer the network, borrowed
 * @param prompt what to draw, borrowed
 * @param negative what to avoid, borrowed
 * @param trueCfgScale the scale of true classifier-free guidance, used with a negative prompt
 * @param guidance the input of the guidance embedding
 */
record FluxVelocity(
    FluxTransformer transformer,
    PromptEmbedding prompt,
    Optional<PromptEmbedding> negative,
    double trueCfgScale,
    double guidance)
    implements VelocityModel {

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

  private NDArray velocity(PromptEmbedding text, NDArray tokens, ActiveTokens at, double sigma) {
    return transformer.velocity(
        tokens, at.positions(), text.tokens(), text.pooled(), sigma, guidance);
  }
}
