package io.jitflow.examples.cli;

import io.jitflow.examples.bench.Amounts;
import io.jitflow.flux.PipelineListener;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Help.Ansi;

/**
 * What a command is busy with, on the error stream: a bar on a terminal, elsewhere a line for
 * whatever lasts longer than a second, and then one every ten.
 */
final class Progress implements AutoCloseable, PipelineListener {

  private static final Duration UPDATE_INTERVAL = Duration.ofMillis(200);
  private static final long MEBIBYTE = 1 << 20;
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final boolean isTerminal;
  private final PrintStream err;
  private final Timer clock;
  private ProgressBar bar;
  private Task task;
  private String prefix = "";

  /** One activity, as plain lines tell of it. */
  static final class Task {
    final String name;
    final boolean isBytes;
    final long start;
    final long before;
    long max;
    long position;
    String note = "";
    long nextLine;

    /** Begins at a time in nanoseconds. */
    Task(String name, long max, long before, boolean isBytes, long start) {
      this.name = name;
      this.max = max;
      this.before = before;
      this.position = before;
      this.isBytes = isBytes;
      this.start = start;
      this.nextLine = start + SECOND;
    }

    /** The line, if it is time for one. */
    String line(long now) {
      if (now < nextLine) {
        return null;
      }
      nextLine = now + 10 * SECOND;
      StringBuilder line = new StringBuilder(name);
      if (max > 0 && position > 0) {
        line.append(isBytes ? percent() : " %d/%d".formatted(position, max));
      }
      line.append(note).append(", ").append(Amounts.time(Duration.ofNanos(now - start)));
      if (max > 0 && position > before) {
        double left = (now - start) / (double) (position - before) * (max - position);
        line.append(", about ").append(Amounts.time(Duration.ofNanos((long) left))).append(" left");
      }
      return line.toString();
    }

    private String percent() {
      return String.format(Locale.ROOT, " %.0f %%", 100.0 * position / max);
    }
  }

  /** On the process's own error stream, in the way that fits it. */
  Progress() {
    this(Ansi.AUTO.enabled(), System.err); // a terminal, by all that the process can know
  }

  Progress(boolean isTerminal, PrintStream err) {
    this.isTerminal = isTerminal;
    this.err = err;
    if (isTerminal) {
      clock = null;
    } else {
      clock = new Timer("progress", true);
      clock.schedule(
          new TimerTask() {
            @Override
            public void run() {
              tick();
            }
          },
          200,
          200);
    }
  }

  /** What stands before the name of everything that begins from now on. */
  synchronized void prefix(String words) {
    prefix = words;
  }

  /** Begins something that is counted in steps; 0 if there is nothing to count. */
  void steps(String name, long steps) {
    begin(name, steps, 0, false);
  }

  /** Goes on with something of which some steps were done before, in a time that is not known. */
  void steps(String name, long steps, long before) {
    begin(name, steps, before, false);
  }

  /** Begins something that is counted in bytes; 0 if their number is not known yet. */
  void bytes(String name, long bytes) {
    begin(name, bytes, 0, true);
  }

  @Override
  public void onActivity(Activity activity) {
    switch (activity.phase()) {
      case VERIFY -> {
        if (activity.done() == 0) {
          bytes("verify " + activity.item(), activity.total());
        } else {
          to(activity.done());
        }
      }
      case LOAD ->
          steps("load %s (%s)".formatted(activity.item(), Amounts.bytes(activity.total())), 0);
      case ENCODE -> steps("encode the prompt", 0);
      case DENOISE -> steps("denoise", activity.total());
      case DECODE -> steps("decode", 0);
    }
  }

  private synchronized void begin(String name, long max, long before, boolean isBytes) {
    end();
    Task next = new Task(prefix + name, max, before, isBytes, System.nanoTime());
    task = next;
    if (isTerminal) {
      ProgressBarBuilder builder =
          new ProgressBarBuilder()
              .setTaskName(next.name)
              .setInitialMax(next.max > 0 ? next.max : -1)
              .startsFrom(before, Duration.ZERO)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis((int) UPDATE_INTERVAL.toMillis())
              .setConsumer(new ConsoleProgressBarConsumer(err))
              .clearDisplayOnFinish();
      if (next.isBytes) {
        builder.setUnit(" MiB", MEBIBYTE).showSpeed();
      }
      bar = builder.build();
    }
  }

  private synchronized void tick() {
    String line = task == null ? null : task.line(System.nanoTime());
    if (line != null) {
      err.println(line);
    }
  }

  /** Moves to a position from 0. */
  synchronized void to(long position) {
    if (task != null) {
      task.position = position;
    }
    if (bar != null) {
      bar.stepTo(position);
    }
  }

  /** Corrects the end. */
  synchronized void max(long end) {
    if (task != null) {
      task.max = end;
    }
    if (bar != null) {
      bar.maxHint(end);
    }
  }

  /** Adds a few words. */
  synchronized void note(String words) {
    if (task != null) {
      task.note = ", " + words;
    }
    if (bar != null) {
      bar.setExtraMessage(" " + words);
    }
  }

  private void end() {
    task = null;
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }

  @Override
  public synchronized void close() {
    end();
    if (clock != null) {
      clock.cancel();
    }
  }
}
