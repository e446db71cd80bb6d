package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.Objects;

/**
 * The standard sampler: Euler steps {@code y += (sigma_next - sigma) v} over all tokens.
 *
 * @param schedule the noise levels
 * @param steps the number of steps, 1 to 10,000
 */
public record EulerSampler(SigmaSchedule schedule, int steps) implements Sampler {
  /**
   * Checks the settings.
   *
   * @param schedule the noise levels
   * @param steps the number of steps, 1 to 10,000
   * @throws IllegalArgumentException if the number of steps is out of range
   */
  public EulerSampler {
    Objects.requireNonNull(schedule, "schedule");
    Checks.steps(steps);
  }

  @Override
  public boolean usesTransitionNoise() {
    return false;
  }

  @Override
  public void check(TokenGrid grid) {
    schedule.sigmas(steps, grid.tokens());
  }

  @Override
  public double[] sigmas(TokenGrid grid) {
    return Arrays.copyOf(schedule.sigmas(steps, grid.tokens()), steps);
  }

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    double[] sigmas = schedule.sigmas(steps, request.grid().tokens());
    TokenSubset everyToken = TokenSubset.all(request.grid(), request.samples());
    try (Trajectory path = new Trajectory(model, request, sigmas, 1);
        ActiveTokens all = path.activate(everyToken)) {
      for (int i = 0; i < steps; i++) {
        try (NDManager step = path.beginStep(i)) {
          NDArray velocity = path.evaluate(all, step, i);
          path.eulerStep(velocity, i);
        }
        path.endStep(i, 0, everyToken);
      }
      return path.finish();
    }
  }
}
