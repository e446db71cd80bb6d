package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Hears of every step and can cancel a run. Called on the sampling thread.
 *
 * <p>A lambda serves progress; {@link CancellableListener} adds cancelling from another thread,
 * {@link #andThen} joins two listeners. A listener that wraps others passes on what they want: see
 * {@link #delegates}.
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
   * Whether {@link #onEstimate} shall be called for a step. A sparse step then costs the
   * interpolation of the estimate over the grid. Asked once per step, also within the listeners of
   * this library that wrap others ({@link #estimateListeners}), so that the answer may go by the
   * clock.
   *
   * @param step which step, from 0
   * @return false unless a listener says otherwise
   */
  default boolean wantsEstimate(int step) {
    return false;
  }

  /**
   * Called with the clean estimate {@code x0_hat = y - sigma v} of a step for which {@link
   * #wantsEstimate} said true, before {@link #onStep} of the same step: what the result would be if
   * the model were right already.
   *
   * @param step which step, from 0
   * @param estimate {@code [B, N, d]}, FLOAT32; interpolated at tokens that were not evaluated.
   *     Borrowed until the call returns; must not be changed
   */
  default void onEstimate(int step, NDArray estimate) {}

  /**
   * Asked before every step. Whoever does more than sampling may ask between steps too: FLUX does,
   * before each network that it loads or runs.
   *
   * @return true to end the run with a {@link java.util.concurrent.CancellationException}
   */
  default boolean isCancelled() {
    return false;
  }

  /**
   * Returns the listeners to which this one passes on what it hears. Whoever has more to tell than
   * steps and estimates finds by them who wants it, however deep they are wrapped: FLUX's previews
   * do.
   *
   * @return none unless a listener says otherwise
   */
  default List<SamplingListener> delegates() {
    return List.of();
  }

  /**
   * Returns who is asked for and told of estimates in place of this listener. One that passes them
   * on and does nothing of its own with them returns whom those that it wraps name; then each is
   * asked once per step, and its answer holds.
   *
   * @return this one unless a listener says otherwise
   */
  default List<SamplingListener> estimateListeners() {
    return List.of(this);
  }

  /**
   * Returns both listeners as one: each hears every step, this one first, and of the estimates
   * those that it wants; the run is cancelled when one of them cancels.
   *
   * @param next the other
   * @return a listener
   */
  default SamplingListener andThen(SamplingListener next) {
    return new ListenerPair(this, next);
  }

  /**
   * Returns a listener that does nothing.
   *
   * @return a listener
   */
  static SamplingListener none() {
    return step -> {};
  }

  /**
   * Returns a listener that only cancels.
   *
   * @param condition when the run ends; asked before every step
   * @return a listener
   */
  static SamplingListener cancelledWhen(BooleanSupplier condition) {
    return new SamplingListener() {
      @Override
      public void onStep(SamplingStep step) {
        // only the run's end matters
      }

      @Override
      public boolean isCancelled() {
        return condition.getAsBoolean();
      }
    };
  }
}
