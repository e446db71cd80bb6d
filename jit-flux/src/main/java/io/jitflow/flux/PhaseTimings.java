package io.jitflow.flux;

import java.time.Duration;

/**
 * How long the phases of one call took.
 *
 * @param tokenise prompts to token ids
 * @param encode token ids to embeddings, loading the text encoders included; near zero if the
 *     embeddings were cached
 * @param denoise noise to latents: the sampler and the transformer
 * @param decode latents to pixels
 */
public record PhaseTimings(Duration tokenise, Duration encode, Duration denoise, Duration decode) {

  /** {@return the sum of the phases} */
  public Duration total() {
    return tokenise.plus(encode).plus(denoise).plus(decode);
  }
}
