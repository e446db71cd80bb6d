package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.token.TokenGrid;
import java.util.Objects;

/**
 * The standard sampler: Euler steps {@code y += (sigma_next - sigma) v} over all tokens. {@link
 * PlainSampler} has the same loop and a choice of solvers.
 *
 * @param schedule the noise levels
 * @param steps the number of steps, at least 1
 */
public record EulerSampler(SigmaSchedule schedule, int steps) implements Sampler {
  /**
   * Checks the settings.
   *
   * @param schedule the noise levels
   * @param steps the number of steps, at least 1
   * @throws IllegalArgumentException if there is no step
   */
  public EulerSampler {
    Objects.requireNonNull(schedule, "schedule");
    if (steps < 1) {
      throw new IllegalArgumentException("at least 1 step is needed, got " + steps);
    }
  }

  private PlainSampler plain() {
    return new PlainSampler(schedule, steps, Solver.EULER);
  }

  @Override
  public boolean usesTransitionNoise() {
    return plain().usesTransitionNoise();
  }

  @Override
  public void check(TokenGrid grid) {
    plain().check(grid);
  }

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    return plain().sample(model, request);
  }
}
