package io.jitflow.examples.cli;

import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingStep;
import java.util.ArrayList;
import java.util.List;

/** Shows steps as progress, keeps them, and cancels on Ctrl-C. For one image at a time. */
final class StepRecorder implements SamplingListener {

  private final Interrupt interrupt;
  private final Progress progress;
  private final List<SamplingStep> steps = new ArrayList<>();

  public StepRecorder(Interrupt interrupt, Progress progress) {
    this.interrupt = interrupt;
    this.progress = progress;
  }

  @Override
  public void onStep(SamplingStep step) {
    steps.add(step);
    progress.to(step.step() + 1); // of the pass that runs, the second one begins anew
    progress.note("%,d tokens".formatted(step.active().count()));
  }

  @Override
  public boolean isCancelled() {
    return interrupt.isRequested();
  }

  /** All steps so far. */
  public List<SamplingStep> steps() {
    return List.copyOf(steps);
  }
}
