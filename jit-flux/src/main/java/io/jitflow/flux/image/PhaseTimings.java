package io.jitflow.flux.image;

import java.time.Duration;

/**
 * How long the phases of one call took.
 *
 * @param tokenise prompts to token ids
 * @param encode token ids to embeddings, loading the text encoders included; near zero if the
 *     embeddings were cached
 * @param noise drawing the noise of the seed
 * @param denoise noise to latents: the sampler and the transformer
 * @param decode latents to pixels
 */
public record PhaseTimings(
    Duration tokenise, Duration encode, Duration noise, Duration denoise, Duration decode) {

  /** {@return the sum of the phases} */
  public Duration total() {
    return tokenise.plus(encode).plus(noise).plus(denoise).plus(decode);
  }
}
