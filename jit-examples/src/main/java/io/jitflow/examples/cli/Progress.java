package io.jitflow.examples.cli;

import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Help.Ansi;

/** A progress bar on the terminal's error stream; silent where that is no terminal. */
final class Progress implements AutoCloseable {

  private static final Duration UPDATE_INTERVAL = Duration.ofMillis(200);
  private static final long MEBIBYTE = 1 << 20;

  private final ProgressBar bar;

  private Progress(ProgressBar bar) {
    this.bar = bar;
  }

  /**
   * A bar that counts steps.
   *
   * @param task what is going on, a word or two
   * @param steps how many
   */
  static Progress ofSteps(String task, long steps) {
    return start(new ProgressBarBuilder().setTaskName(task).setInitialMax(steps));
  }

  /**
   * A bar that counts bytes and shows the speed.
   *
   * @param task what is going on, a word or two
   * @param bytes how many in all; negative if unknown
   */
  static Progress ofBytes(String task, long bytes) {
    return start(
        new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(bytes)
            .setUnit(" MiB", MEBIBYTE)
            .showSpeed());
  }

  private static Progress start(ProgressBarBuilder builder) {
    if (!Ansi.AUTO.enabled()) { // a terminal, by all that the process can know
      return new Progress(null);
    }
    builder
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis((int) UPDATE_INTERVAL.toMillis())
        .setConsumer(new ConsoleProgressBarConsumer(System.err))
        .clearDisplayOnFinish();
    return new Progress(builder.build());
  }

  /** Moves to a position from 0. */
  void to(long position) {
    if (bar != null) {
      bar.stepTo(position);
    }
  }

  /** Corrects the end of the bar. */
  void max(long end) {
    if (bar != null) {
      bar.maxHint(end);
    }
  }

  /** Shows a few words behind the bar. */
  void note(String words) {
    if (bar != null) {
      bar.setExtraMessage(" " + words);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
