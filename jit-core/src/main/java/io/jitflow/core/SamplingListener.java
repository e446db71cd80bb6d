package io.jitflow.core;

/**
 * Hears of every step and can cancel a run. Called on the sampling thread.
 *
 * <p>A lambda serves progress; {@link CancellableListener} adds cancelling from another thread.
 */
@FunctionalInterface
public interface SamplingListener {
  /**
   * Called after every step, and after the tokens of the next stage have joined if the step ends a
   * stage. What it throws ends the run.
   *
   * @param step what was done
   */
  void onStep(SamplingStep step);

  /**
   * Asked before every step.
   *
   * @return true to end the run with a {@link java.util.concurrent.CancellationException}
   */
  default boolean isCancelled() {
    return false;
  }

  /**
   * Returns a listener that does nothing.
   *
   * @return a listener
   */
  static SamplingListener none() {
    return step -> {};
  }
}
