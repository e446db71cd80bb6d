package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Trajectory;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.Objects;

/**
 * The Just-in-Time sampler: the model sees a sparse, growing set of anchor tokens; their velocity
 * is lifted onto the whole grid; joining tokens come in through the deterministic micro-flow.
 *
 * <p>Source: Sun, Li, Liu, "Just-in-Time: Training-Free Spatial Acceleration for Diffusion
 * Transformers", arXiv 2603.10744, Algorithm 1. In the paper's symbols: y is the state, u the
 * model's output at the anchors, Pi_k the {@link VelocityLifter}, Omega_k the {@link TokenSubset}
 * of a stage. Where the anchors alone are read, their velocity is not lifted: with the exact
 * micro-flow the state of every other token is overwritten before anything reads it.
 *
 * @param config the settings
 */
public record JitSampler(JitConfig config) implements Sampler {
  /**
   * Checks that there are settings.
   *
   * @param config the settings
   */
  public JitSampler {
    Objects.requireNonNull(config, "config");
  }

  /**
   * Returns the sampler with the settings that measurement chose for a speed-up.
   *
   * @param speedup how many times less than 50 full steps the network shall compute, from 2 to 14
   * @return a sampler with {@link JitConfig#forSpeedup}
   * @throws IllegalArgumentException if the speed-up is out of range
   */
  public static JitSampler forSpeedup(double speedup) {
    return new JitSampler(JitConfig.forSpeedup(speedup));
  }

  /**
   * Returns the paper's sampler for about a quarter of the computation of 50 full steps.
   *
   * @return a sampler with {@link JitConfig#default4x()}
   */
  public static JitSampler preset4x() {
    return new JitSampler(JitConfig.default4x());
  }

  /**
   * Returns the paper's sampler for about a seventh of the computation of 50 full steps.
   *
   * @return a sampler with {@link JitConfig#default7x()}
   */
  public static JitSampler preset7x() {
    return new JitSampler(JitConfig.default7x());
  }

  @Override
  public int steps() {
    return config.steps();
  }

  @Override
  public boolean usesTransitionNoise() {
    return config.transitionNoise() == TransitionNoise.FRESH;
  }

  @Override
  public void check(TokenGrid grid) {
    config.plan(grid);
    config.schedule().sigmas(config.steps(), grid.tokens());
  }

  @Override
  public double[] sigmas(TokenGrid grid) {
    int steps = config.steps();
    return Arrays.copyOf(config.schedule().sigmas(steps, grid.tokens()), steps);
  }

  @Override
  public JitSampler startingAt(double sigma, TokenGrid grid) {
    SigmaSchedule.Custom left = config.schedule().startingAt(sigma, config.steps(), grid.tokens());
    return new JitSampler(config.withSchedule(left).withSteps(left.values().size() - 1));
  }

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    return sample(model, request, JitTrace.NONE);
  }

  NDArray sample(VelocityModel model, SamplingRequest request, JitTrace trace) {
    StagePlan plan = config.plan(request.grid());
    double[] sigmas = config.schedule().sigmas(config.steps(), request.grid().tokens());
    try (Trajectory path = new Trajectory(model, request, sigmas, config.solver())) {
      AnchorStage stage = AnchorStage.first(config, plan, path, trace); // Omega_K
      for (int i = 0; i < plan.steps(); i++) {
        TokenSubset evaluated = stage.active().subset();
        Transition next = null;
        try (Trajectory.Step step = path.begin(i)) {
          NDArray u = step.evaluate(stage.active()); // of S_k^T y
          step.offerEstimate(stage::lift);
          NDArray velocity = stage.velocity(u); // Pi_k u where something reads it, else u
          if (plan.endsStage(i)) {
            next = stage.prepare(step, u, velocity, i + 1); // Omega_{k-1} and x0_hat
          }
          step.advance(velocity);
          trace.step(i, velocity, path.state());
        }
        if (next != null) {
          stage = next.cross(); // micro-flow
        }
        path.report(i, plan.stageOf(i), plan.stages(), evaluated);
      }
      return path.finish();
    }
  }
}
