package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Objects;

/** A listener whose run any thread can cancel; the run ends within one step. Thread-safe. */
public final class CancellableListener implements SamplingListener {
  private final SamplingListener listener;
  private volatile boolean cancelled;

  /** Makes one that only cancels. */
  public CancellableListener() {
    this(SamplingListener.none());
  }

  /**
   * Makes one that also passes on what it hears.
   *
   * @param listener hears all that it would hear without this one around it, and may cancel too
   */
  public CancellableListener(SamplingListener listener) {
    this.listener = Objects.requireNonNull(listener, "listener");
  }

  /** Cancels the run, and every later run with this listener. */
  public void cancel() {
    cancelled = true;
  }

  @Override
  public void onStep(SamplingStep step) {
    listener.onStep(step);
  }

  @Override
  public boolean wantsEstimate(int step) {
    return listener.wantsEstimate(step);
  }

  @Override
  public void onEstimate(int step, NDArray estimate) {
    listener.onEstimate(step, estimate);
  }

  @Override
  public List<SamplingListener> delegates() {
    return List.of(listener);
  }

  @Override
  public List<SamplingListener> estimateListeners() {
    return listener.estimateListeners();
  }

  @Override
  public boolean isCancelled() {
    return cancelled || listener.isCancelled();
  }
}
