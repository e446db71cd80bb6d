package io.jitflow.examples.bench;

import java.util.Arrays;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Intervals by drawing the samples again, with replacement (Efron 1979); the same draws every time.
 *
 * <p>The basic interval: the figure minus what the draws deviate from it. A distance between sets
 * is larger for a draw, which holds some samples twice; this takes that out again (Davison and
 * Hinkley 1997, section 5.2).
 */
public final class Bootstrap {
  private static final long SEED = 20;

  private Bootstrap() {}

  /**
   * Where a figure lies in 95 % of the cases.
   *
   * @param low its lower end
   * @param high its upper end
   */
  public record Interval(double low, double high) {}

  /**
   * Draws samples again and again.
   *
   * @param samples how many there are
   * @param draws how often to draw them all
   * @param figure of the samples with these positions; some occur more than once
   */
  public static Interval interval(int samples, int draws, ToDoubleFunction<int[]> figure) {
    Random random = new Random(SEED);
    double[] figures = new double[draws];
    for (int draw = 0; draw < draws; draw++) {
      figures[draw] = figure.applyAsDouble(random.ints(samples, 0, samples).toArray());
    }
    Arrays.sort(figures);
    double whole = figure.applyAsDouble(IntStream.range(0, samples).toArray());
    return new Interval(2 * whole - at(figures, 0.975), 2 * whole - at(figures, 0.025));
  }

  private static double at(double[] sorted, double share) {
    return sorted[(int) Math.round(share * (sorted.length - 1))];
  }
}
