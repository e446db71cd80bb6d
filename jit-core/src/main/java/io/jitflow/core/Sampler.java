package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.token.TokenGrid;

/**
 * Integrates a flow-matching model from noise to clean latents.
 *
 * <p>Samplers are immutable, keep no state between calls, and may be used from several threads at
 * once as far as the model may. The same request gives the same latents, bit for bit, on the same
 * machine.
 */
public interface Sampler {
  /**
   * Samples.
   *
   * @param model the velocity model
   * @param request noise and grid, and what else the caller gives
   * @return the clean latents {@code [B, N, d]}, FLOAT32, owned by the noise's manager
   * @throws IllegalArgumentException if the request does not fit this sampler
   * @throws IllegalStateException if an array of the request is closed
   * @throws ModelOutputException if the model returns another shape or type, or values that are not
   *     finite
   * @throws java.util.concurrent.CancellationException if the listener cancels; every native array
   *     of the run is freed, as after any other exception
   */
  NDArray sample(VelocityModel model, SamplingRequest request);

  /**
   * Samples from noise alone. A sampler that needs transition noise refuses it: {@link
   * SamplingRequest#seeded} draws both.
   *
   * @param model the velocity model
   * @param noise {@code [B, N, d]}, FLOAT32, standard normal; borrowed
   * @param grid the grid of the N tokens
   * @return the clean latents {@code [B, N, d]}, FLOAT32, owned by the noise's manager
   * @throws IllegalArgumentException if the sampler needs transition noise
   */
  default NDArray sample(VelocityModel model, NDArray noise, TokenGrid grid) {
    return sample(model, SamplingRequest.of(noise, grid));
  }

  /**
   * Whether {@link #sample} needs {@link SamplingRequest#transitionNoise()}. Whoever makes requests
   * need not draw what nobody reads.
   *
   * @return true unless the sampler says otherwise
   */
  default boolean usesTransitionNoise() {
    return true;
  }

  /**
   * Checks that this sampler can serve a grid, before anything costly is loaded or computed.
   *
   * @param grid the grid of the tokens
   * @throws IllegalArgumentException if it cannot: what was expected, found, and what to do
   */
  default void check(TokenGrid grid) {}

  /**
   * Returns the noise levels at which {@link #sample} calls the model, so that a model can evaluate
   * before the first step what depends on them alone.
   *
   * @param grid the grid of the tokens
   * @return the sigmas in any order; empty, as it is unless the sampler says otherwise, if they are
   *     not known beforehand
   */
  default double[] sigmas(TokenGrid grid) {
    return new double[0];
  }

  /**
   * Returns the number of steps.
   *
   * @return model evaluations of a run
   */
  int steps();

  /**
   * Returns this sampler for a run that starts at a lower noise level, from a picture that is known
   * ({@link SamplingRequest#withKnown}): its first level is the given one, then come its own levels
   * below that. Stages apply to the steps that are left.
   *
   * @param sigma where to start, above 0 and at most 1
   * @param grid the grid of the tokens
   * @return a sampler with as many steps as are left
   * @throws IllegalArgumentException if the steps that are left do not suffice for this sampler
   * @throws UnsupportedOperationException unless the sampler says otherwise
   */
  default Sampler startingAt(double sigma, TokenGrid grid) {
    throw new UnsupportedOperationException(
        getClass().getName()
            + " starts from noise only; implement startingAt, or use another sampler");
  }
}
