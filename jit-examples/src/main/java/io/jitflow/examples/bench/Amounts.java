package io.jitflow.examples.bench;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** Numbers as people read them. */
public final class Amounts {

  private static final String[] BINARY_UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB"};

  private Amounts() {}

  /** For example {@code 22.2 GiB}. */
  public static String bytes(long bytes) {
    double amount = bytes;
    int unit = 0;
    while (amount >= 1024 && unit < BINARY_UNITS.length - 1) {
      amount /= 1024;
      unit++;
    }
    return unit == 0
        ? bytes + " bytes"
        : String.format(Locale.ROOT, "%.1f %s", amount, BINARY_UNITS[unit]);
  }

  /** For example {@code 11.90 billion}. */
  public static String count(long count) {
    if (count >= 1_000_000_000) {
      return String.format(Locale.ROOT, "%.2f billion", count / 1e9);
    }
    if (count >= 1_000_000) {
      return String.format(Locale.ROOT, "%.2f million", count / 1e6);
    }
    return String.format(Locale.ROOT, "%,d", count);
  }

  /** For example {@code 7.16x}. */
  public static String factor(double factor) {
    return String.format(Locale.ROOT, "%.2fx", factor);
  }

  /** The middle value, or the mean of the two in the middle. */
  public static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int half = sorted.size() / 2;
    return (sorted.get(half) + sorted.get(sorted.size() - 1 - half)) / 2;
  }

  /** For example {@code 340 ms}, {@code 12.3 s} or {@code 2 min 05 s}. */
  public static String time(Duration duration) {
    double seconds = duration.toNanos() / 1e9;
    if (seconds < 1) {
      return String.format(Locale.ROOT, "%.0f ms", seconds * 1e3);
    }
    if (seconds < 100) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    return String.format(
        Locale.ROOT, "%d min %02d s", duration.toMinutes(), duration.toSecondsPart());
  }
}
