package io.jitflow.flux.bundle;

import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.check.Checks;

/**
 * How a checkpoint wants its noise levels spread, in the terms of its {@code
 * scheduler_config.json}.
 *
 * @param useDynamicShifting whether the shift depends on the number of image tokens (dev) or not
 *     (schnell)
 * @param shift the constant shift; 1 for none. Not used with dynamic shifting
 * @param baseShift mu at {@code baseImageSeqLen} tokens
 * @param maxShift mu at {@code maxImageSeqLen} tokens
 * @param baseImageSeqLen the lower number of image tokens of the line for mu
 * @param maxImageSeqLen the upper number of image tokens of the line for mu
 */
public record SchedulerSettings(
    boolean useDynamicShifting,
    double shift,
    double baseShift,
    double maxShift,
    int baseImageSeqLen,
    int maxImageSeqLen) {

  /** The settings of FLUX.1-dev. */
  public static final SchedulerSettings DEV =
      new SchedulerSettings(true, 3.0, 0.5, 1.15, 256, 4096);

  /** The settings of FLUX.1-schnell. */
  public static final SchedulerSettings SCHNELL =
      new SchedulerSettings(false, 1.0, 0.5, 1.15, 256, 4096);

  /**
   * Checks the settings.
   *
   * @throws IllegalArgumentException if a number is not finite, the shift not positive, or the
   *     token counts not positive and ascending
   */
  public SchedulerSettings {
    Checks.argument(shift > 0 && Double.isFinite(shift), "shift must be positive, got %s", shift);
    Checks.argument(
        Double.isFinite(baseShift) && Double.isFinite(maxShift),
        "baseShift and maxShift must be finite, got %s and %s",
        baseShift,
        maxShift);
    Checks.argument(
        baseImageSeqLen > 0 && maxImageSeqLen > baseImageSeqLen,
        "baseImageSeqLen must be positive and below maxImageSeqLen, got %d and %d",
        baseImageSeqLen,
        maxImageSeqLen);
  }

  /**
   * Returns the noise levels that these settings ask for.
   *
   * @return the schedule
   */
  public SigmaSchedule schedule() {
    if (useDynamicShifting) {
      return new SigmaSchedule.DynamicShift(baseShift, maxShift, baseImageSeqLen, maxImageSeqLen);
    }
    if (shift == 1) {
      return SigmaSchedule.linear();
    }
    // shift s / (1 + (shift - 1) s) is the dynamic shift's formula with mu = ln(shift)
    double mu = Math.log(shift);
    return new SigmaSchedule.DynamicShift(mu, mu, baseImageSeqLen, maxImageSeqLen);
  }
}
