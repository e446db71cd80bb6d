package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import java.util.Objects;

/**
 * The standard sampler: Euler steps {@code y += (sigma_next - sigma) v} over all tokens. {@link
 * PlainSampler} has the same loop and a choice of solvers.
 *
 * @param schedule the noise levels
 * @param steps the number of steps, 1 to 10,000
 */
public record EulerSampler(SigmaSchedule schedule, int steps) implements Sampler {
  /**
   * Checks the settings.
   *
   * @param schedule any
   * @param steps 1 to 10,000
   * @throws IllegalArgumentException if the number of steps is out of range
   */
  public EulerSampler {
    Objects.requireNonNull(schedule, "schedule");
    Checks.steps(steps);
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
  public double[] sigmas(TokenGrid grid) {
    return plain().sigmas(grid);
  }

  @Override
  public EulerSampler startingAt(double sigma, TokenGrid grid) {
    SigmaSchedule.Custom left = schedule.startingAt(sigma, steps, grid.tokens());
    return new EulerSampler(left, left.values().size() - 1);
  }

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    return plain().sample(model, request);
  }
}
