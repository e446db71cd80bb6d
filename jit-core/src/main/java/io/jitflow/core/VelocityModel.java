package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.token.TokenSubset;

/**
 * The one thing a sampler needs: a flow-matching transformer as a function from some tokens, the
 * places where they sit and the noise level, to their velocities {@code v = dy/dsigma = eps - x0}.
 *
 * <p>The number of tokens changes from stage to stage; the model must look at {@code at} and at
 * nothing else to know where they sit.
 */
@FunctionalInterface
public interface VelocityModel {
  /**
   * Evaluates the model.
   *
   * @param tokens {@code [B, m, d]}, FLOAT32, borrowed: must not be changed, closed or kept
   * @param at the places of the tokens, in the same order; borrowed, the same object during a stage
   * @param sigma the noise level in (0, 1]; 1 is pure noise (never scaled by 1000)
   * @return the velocities {@code [B, m, d]}, FLOAT32. A result attached to the manager of {@code
   *     tokens}, as the result of most operations on them is, is freed by the sampler; one that
   *     belongs to another manager is left alone. It is not changed.
   */
  NDArray velocity(NDArray tokens, ActiveTokens at, double sigma);

  /**
   * Returns this model for a run of which a part is known: it is asked for the given tokens alone,
   * and the velocity of the others is computed. A token that stays as it is in known latents moves
   * along the straight line {@code (1 - sigma) known + sigma noise}, so its velocity is {@code
   * noise - known}.
   *
   * @param request the run's request, of one sample, with known latents
   * @param evaluated the tokens that this model sees: all that are drawn anew, and context
   * @return the model for that run, as thread-safe as this one
   * @throws IllegalArgumentException if the request has several samples or no known latents, or the
   *     tokens are of another grid
   */
  default VelocityModel partlyKnown(SamplingRequest request, TokenSubset evaluated) {
    return new PartlyKnownModel(this, request, evaluated);
  }
}
