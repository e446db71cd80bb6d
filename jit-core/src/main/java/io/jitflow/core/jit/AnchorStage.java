package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.Solver;
import io.jitflow.core.Trajectory;
import io.jitflow.core.check.Checks;
import io.jitflow.core.jit.JitConfig.Activation;
import io.jitflow.core.jit.JitConfig.StageRules;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A stage of a run: its anchor set Omega_k, and what depends on that alone. Immutable; a {@link
 * Transition} makes the next one. Its arrays are freed at the transition, or with the run.
 */
final class AnchorStage implements AutoCloseable {
  private final Run run;
  private final int index;
  private final TokenSubset tokens;
  private final ActiveTokens active;

  /** Null if every token is active. */
  private final @Nullable VelocityLifter lifter;

  AnchorStage(Run run, int index, TokenSubset tokens) {
    this.run = run;
    this.index = index;
    this.tokens = tokens;
    JitConfig config = run.config;
    this.active = run.path.activate(tokens);
    this.lifter =
        tokens.isFull()
            ? null
            : new VelocityLifter(
                run.path.manager(), tokens, config.blurWidth(), config.tiedAnchors());
  }

  /** Enters the first stage, with the caller's anchors or the configured pattern's. */
  static AnchorStage first(JitConfig config, StagePlan plan, Trajectory path, JitTrace trace) {
    SamplingRequest request = path.request();
    Run run = new Run(config, plan, path, trace);
    run.check();
    int first = plan.stageOf(0);
    return new AnchorStage(
        run, first, request.anchors(first).orElseGet(() -> run.firstAnchors(first)));
  }

  /** What is the same in every stage of a run. */
  record Run(JitConfig config, StagePlan plan, Trajectory path, JitTrace trace) {
    private void check() {
      SamplingRequest request = path.request();
      Checks.argument(
          config.transitionNoise() != TransitionNoise.FRESH
              || plan.stages() <= 1
              || request.transitionNoise().isPresent(),
          "these settings need transition noise (TransitionNoise.FRESH) and the request has none:"
              + " make the request with SamplingRequest.seeded, give it withTransitionNoise, or"
              + " use TransitionNoise.INITIAL");
      Checks.argument(
          !request.anchors(plan.stages()).isPresent(),
          "the request gives anchors for more stages than the %d of the settings",
          plan.stages());
      Checks.argument(
          config.solver() == Solver.EULER || everyTokenIsFinished(),
          "the solver %s needs a last stage of every token; use it, or Solver.EULER",
          config.solver());
      if (config.stageRules() == StageRules.STRICT) {
        checkCounts(request.grid().tokens());
      }
    }

    private void checkCounts(int all) {
      for (int s = 1; s < plan.stages(); s++) {
        int before = tokenCount(s - 1);
        int count = tokenCount(s);
        Checks.argument(
            count > before || count >= all,
            "stage %d has %d tokens after %d: every stage must add tokens; give fewer anchors or"
                + " raise its density",
            s,
            count,
            before);
      }
      Checks.argument(
          everyTokenIsFinished(),
          "the anchors given for the last stage, %d, are %d of %d tokens: tokens left out of it"
              + " would never be finished",
          plan.stages() - 1,
          tokenCount(plan.stages() - 1),
          all);
    }

    private int tokenCount(int s) {
      return path.request().anchors(s).map(TokenSubset::count).orElse(plan.activeTokens(s));
    }

    private boolean everyTokenIsFinished() {
      // the last stage that has a step: under StageRules.AS_RELEASED those after it may be empty
      return tokenCount(plan.stageOf(plan.steps() - 1)) == path.request().grid().tokens();
    }

    /**
     * Whether anything reads the state of tokens that are not active: a partial micro-flow starts
     * from it, tokens left out of the last stage end with it, a trace compares it.
     */
    private boolean movesEveryToken() {
      return config.microFlow().relaxSteps() != 1
          || !everyTokenIsFinished()
          || (config.solver() == Solver.EULER && trace.readsEveryToken());
    }

    private TokenSubset firstAnchors(int first) {
      TokenGrid grid = path.request().grid();
      return TokenSubset.of(grid, config.firstAnchors().select(grid, plan.activeTokens(first)))
          .forSamples(path.request().samples());
    }
  }

  Run run() {
    return run;
  }

  TokenSubset tokens() {
    return tokens;
  }

  /** The tokens as the model sees them. */
  ActiveTokens active() {
    return active;
  }

  /** Spreads values at the active tokens over the grid, Pi_k and Phi_k. */
  NDArray lift(NDArray values) {
    return lifter == null ? values : lifter.lift(values);
  }

  /** The velocity along which the state moves: Pi_k u, or u alone where nothing reads the rest. */
  NDArray velocity(NDArray u) {
    if (lifter == null || !run.movesEveryToken()) {
      return u;
    }
    if (index == run.plan.stages() - 1) {
      // only under StageRules.AS_RELEASED: tokens left out of the last stage stand still; if that
      // stage is empty, they follow the lifted velocity to the end
      return lifter.scatter(u);
    }
    return lifter.lift(u);
  }

  /**
   * At the end of a stage: selects the tokens of the next one and keeps the clean estimate.
   *
   * @param u the model's output
   * @param velocity what {@link #velocity} made of it
   * @param i the first step of the next stage
   */
  Transition prepare(Trajectory.Step step, NDArray u, NDArray velocity, int i) {
    int count = run.plan.activeTokens(run.plan.stageOf(i));
    TokenSubset next =
        run.path
            .request()
            .anchors(run.plan.stageOf(i))
            .orElseGet(() -> selectJoining(u, velocity, count));
    @Nullable NDArray clean = null;
    if (!tokens.isFull()) {
      clean = step.cleanEstimate();
      clean.attach(run.path.manager());
    }
    return new Transition(this, next, clean, i);
  }

  private TokenSubset selectJoining(NDArray u, NDArray velocity, int count) {
    boolean noneOrAllJoin = count <= tokens.count() || count >= tokens.grid().tokens();
    if (noneOrAllJoin || run.config.activation() == Activation.EVEN_SPREAD) {
      return TokenImportance.selectEvenly(tokens, count);
    }
    NDArray lifted = velocity == u ? lift(u) : velocity;
    float[] flat;
    try (NDArray map = TokenImportance.map(lifted, tokens.grid(), run.config.importanceBorder())) {
      flat = map.toFloatArray();
    }
    if (lifted != velocity) {
      lifted.close();
    }
    float[][] importance = new float[tokens.samples()][];
    int size = tokens.grid().tokens();
    Arrays.setAll(importance, b -> Arrays.copyOfRange(flat, b * size, (b + 1) * size));
    return TokenImportance.select(importance, tokens, count);
  }

  /** Frees the stage's arrays. */
  @Override
  public void close() {
    active.close();
    if (lifter != null) {
      lifter.close();
    }
  }
}
