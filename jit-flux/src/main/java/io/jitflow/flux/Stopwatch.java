package io.jitflow.flux;

import java.time.Duration;

/** Adds up the time of one phase. */
final class Stopwatch {
  private long started;
  private long total;

  void start() {
    started = System.nanoTime();
  }

  void stop() {
    total += System.nanoTime() - started;
  }

  Duration total() {
    return Duration.ofNanos(total);
  }
}
