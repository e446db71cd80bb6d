package io.jitflow.core.jit;

import io.jitflow.core.check.Checks;

/**
 * One stage of a run, during which the anchor set stays the same.
 *
 * @param end the fraction of the steps after which the stage ends, in (0, 1]; the last stage ends
 *     at 1
 * @param density the fraction of the tokens that are active, in (0, 1]; the last stage has 1
 */
public record Stage(double end, double density) {
  /**
   * Checks the ranges.
   *
   * @param end above 0, at most 1
   * @param density above 0, at most 1
   * @throws IllegalArgumentException if a fraction is outside (0, 1]
   */
  public Stage {
    Checks.argument(end > 0 && end <= 1, "a stage must end in (0, 1], got %s", end);
    Checks.argument(
        density > 0 && density <= 1, "a stage's density must be in (0, 1], got %s", density);
  }
}
