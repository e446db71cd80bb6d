package io.jitflow.core.jit;

import io.jitflow.core.check.Checks;
import io.jitflow.core.jit.JitConfig.StageRules;
import io.jitflow.core.token.TokenGrid;
import java.util.Arrays;
import java.util.List;

/**
 * Which stage each step belongs to and how many tokens each stage evaluates, for a number of steps
 * and a grid. Immutable.
 *
 * <p>Step i belongs to the first stage s with {@code i < floor(steps * end_s)}; stage s has {@code
 * floor(N * density_s)} active tokens. Both products are truncated as the authors' release does it,
 * so 0.29 * 100 gives 28.
 *
 * <p>Stages are numbered in the order in which they run, from 0. (The paper counts down, from K to
 * 0.)
 */
final class StagePlan {
  private final int[] stageOfStep;
  private final int[] activeTokens;

  private StagePlan(int[] stageOfStep, int[] activeTokens) {
    this.stageOfStep = stageOfStep;
    this.activeTokens = activeTokens;
  }

  /**
   * Plans a run.
   *
   * @param steps the number of model evaluations, at least 1
   * @param stages the stages in the order in which they run
   * @param grid the token grid
   * @param rules what to refuse
   * @return the plan
   * @throws IllegalArgumentException if a stage has no token on that grid, or, under {@link
   *     StageRules#STRICT}, adds none; what does not depend on the grid is checked by {@link
   *     #check}
   */
  static StagePlan of(int steps, List<Stage> stages, TokenGrid grid, StageRules rules) {
    int[] stageOfStep = stageOfStep(steps, stages);
    int[] activeTokens = new int[stages.size()];
    for (int s = 0; s < activeTokens.length; s++) {
      activeTokens[s] = (int) (grid.tokens() * stages.get(s).density());
      Checks.argument(
          activeTokens[s] >= 1,
          "stage %d has density %s, which is no anchor at all on a grid of %s (%d tokens); raise"
              + " the density",
          s,
          stages.get(s).density(),
          grid,
          grid.tokens());
      if (rules == StageRules.STRICT && s > 0) {
        Checks.argument(
            activeTokens[s] > activeTokens[s - 1] || activeTokens[s] >= grid.tokens(),
            "stages %d and %d have densities %s and %s, which are %d and %d of %d tokens: every"
                + " stage must add tokens",
            s - 1,
            s,
            stages.get(s - 1).density(),
            stages.get(s).density(),
            activeTokens[s - 1],
            activeTokens[s],
            grid.tokens());
      }
    }
    return new StagePlan(stageOfStep, activeTokens);
  }

  /** Checks what does not depend on the grid. */
  static void check(int steps, List<Stage> stages, StageRules rules) {
    Checks.steps(steps);
    Checks.argument(!stages.isEmpty(), "at least one stage is needed, got none");
    if (rules != StageRules.STRICT) {
      return;
    }
    for (int s = 1; s < stages.size(); s++) {
      Stage before = stages.get(s - 1);
      Stage stage = stages.get(s);
      Checks.argument(
          stage.end() > before.end(),
          "stage ends must rise, but stage %d ends at %s after %s",
          s,
          stage.end(),
          before.end());
      Checks.argument(
          stage.density() > before.density() || (stage.density() == 1 && before.density() == 1),
          "densities must rise, but stage %d has density %s after %s",
          s,
          stage.density(),
          before.density());
    }
    Stage last = stages.get(stages.size() - 1);
    Checks.argument(
        last.density() == 1,
        "the last stage must have density 1, got %s: tokens left out of it would never be finished",
        last.density());
    Checks.argument(last.end() == 1, "the last stage must end at 1, got %s", last.end());
    int[] counts = new int[stages.size()];
    for (int stage : stageOfStep(steps, stages)) {
      counts[stage]++;
    }
    for (int s = 0; s < counts.length; s++) {
      Checks.argument(
          counts[s] != 0,
          "stage %d of %d gets no step: %d steps are split %s by the stage ends; use more steps or"
              + " fewer stages",
          s,
          counts.length,
          steps,
          Arrays.toString(counts));
    }
  }

  /** The last stage that has a step; under {@link StageRules#AS_RELEASED} others may follow. */
  static Stage last(int steps, List<Stage> stages) {
    return stages.get(stageOfStep(steps, stages)[steps - 1]);
  }

  private static int[] stageOfStep(int steps, List<Stage> stages) {
    int[] stageOfStep = new int[steps];
    for (int i = 0; i < steps; i++) {
      int stage = 0;
      while (stage < stages.size() - 1 && i >= (int) (steps * stages.get(stage).end())) {
        stage++;
      }
      stageOfStep[i] = stage;
    }
    return stageOfStep;
  }

  /**
   * Returns the number of steps.
   *
   * @return model evaluations of a run
   */
  public int steps() {
    return stageOfStep.length;
  }

  /**
   * Returns the number of stages.
   *
   * @return at least 1
   */
  public int stages() {
    return activeTokens.length;
  }

  /**
   * Returns the stage of a step.
   *
   * @param step the step, from 0
   * @return the stage, from 0, which is the first and sparsest
   */
  public int stageOf(int step) {
    return stageOfStep[step];
  }

  /**
   * Tells whether the step is the last one of its stage and another stage follows.
   *
   * @return true if tokens join after it
   */
  public boolean endsStage(int step) {
    return step + 1 < stageOfStep.length && stageOfStep[step + 1] != stageOfStep[step];
  }

  /**
   * Returns how many tokens of each sample a stage evaluates, m_k.
   *
   * @param stage the stage, from 0
   * @return at least 1
   */
  public int activeTokens(int stage) {
    return activeTokens[stage];
  }
}
