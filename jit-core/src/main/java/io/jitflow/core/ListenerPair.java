package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Two listeners as one, see {@link SamplingListener#andThen}. */
record ListenerPair(SamplingListener first, SamplingListener second) implements SamplingListener {

  ListenerPair {
    Objects.requireNonNull(first, "first");
    Objects.requireNonNull(second, "second");
  }

  @Override
  public void onStep(SamplingStep step) {
    first.onStep(step);
    second.onStep(step);
  }

  @Override
  public boolean wantsEstimate(int step) {
    return first.wantsEstimate(step) || second.wantsEstimate(step);
  }

  @Override
  public void onEstimate(int step, NDArray estimate) {
    for (SamplingListener listener : delegates()) {
      if (listener.wantsEstimate(step)) {
        listener.onEstimate(step, estimate);
      }
    }
  }

  @Override
  public List<SamplingListener> delegates() {
    return List.of(first, second);
  }

  @Override
  public List<SamplingListener> estimateListeners() {
    return Stream.of(first, second)
        .flatMap(listener -> listener.estimateListeners().stream())
        .toList();
  }

  @Override
  public boolean isCancelled() {
    return first.isCancelled() || second.isCancelled();
  }
}
