package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.Trajectory;
import io.jitflow.core.VelocityModel;
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
 * of a stage.
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
   * Returns the sampler for about a quarter of the computation of 50 full steps.
   *
   * @return a sampler with {@link JitConfig#default4x()}
   */
  public static JitSampler preset4x() {
    return new JitSampler(JitConfig.default4x());
  }

  /**
   * Returns the sampler for about a seventh of the computation of 50 full steps.
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
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    return sample(model, request, JitTrace.NONE);
  }

  NDArray sample(VelocityModel model, SamplingRequest request, JitTrace trace) {
    StagePlan plan = config.plan(request.grid());
    double[] sigmas = config.schedule().sigmas(config.steps(), request.grid().tokens());
    try (Trajectory path = new Trajectory(model, request, sigmas, plan.stages());
        AnchorStage stage = new AnchorStage(config, plan, path, trace)) {
      for (int i = 0; i < plan.steps(); i++) {
        TokenSubset evaluated = stage.active().subset();
        boolean boundary = plan.endsStage(i);
        try (NDManager step = path.beginStep(i)) {
          NDArray u = path.evaluate(stage.active(), step, i); // of S_k^T y
          NDArray velocity = stage.lift(u); // Pi_k u
          if (boundary) {
            stage.activate(u, velocity, i); // Omega_{k-1} and x0_hat
          }
          if (velocity != u) {
            u.close(); // so that a step needs less memory
          }
          path.eulerStep(velocity, i);
          trace.step(i, velocity, path.state());
        }
        if (boundary) {
          stage.join(i + 1); // micro-flow
        }
        path.endStep(i, plan.stageOf(i), evaluated);
      }
      return path.finish();
    }
  }
}
