package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.Objects;

/**
 * A sampler without stages: every step evaluates every token. With {@link Solver#EULER} it is
 * {@link EulerSampler}, bit for bit; with {@link Solver#ADAMS_BASHFORTH_2} it needs far fewer
 * steps.
 *
 * @param schedule the noise levels
 * @param steps the number of steps, 1 to 10,000
 * @param solver how it steps
 */
public record PlainSampler(SigmaSchedule schedule, int steps, Solver solver) implements Sampler {
  /**
   * Checks the settings.
   *
   * @param schedule any
   * @param steps 1 to 10,000
   * @param solver any
   * @throws IllegalArgumentException if the number of steps is out of range
   */
  public PlainSampler {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(solver, "solver");
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
  public PlainSampler startingAt(double sigma, TokenGrid grid) {
    SigmaSchedule.Custom left = schedule.startingAt(sigma, steps, grid.tokens());
    return new PlainSampler(left, left.values().size() - 1, solver);
  }

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    double[] sigmas = schedule.sigmas(steps, request.grid().tokens());
    TokenSubset everyToken = TokenSubset.all(request.grid(), request.samples());
    try (Trajectory path = new Trajectory(model, request, sigmas, solver);
        ActiveTokens all = path.activate(everyToken)) {
      for (int i = 0; i < steps; i++) {
        try (Trajectory.Step step = path.begin(i)) {
          NDArray velocity = step.evaluate(all);
          step.offerEstimate(clean -> clean);
          step.advance(velocity);
        }
        path.report(i, everyToken);
      }
      return path.finish();
    }
  }
}
