package io.jitflow.examples.bench;

import java.util.Arrays;
import java.util.List;
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
   * A figure of all samples, and of every draw of them. Those of two figures of the same samples
   * belong together draw by draw.
   */
  public static final class Draws {
    private final double whole;
    private final double[] values;

    private Draws(double whole, double[] values) {
      this.whole = whole;
      this.values = values;
    }

    /** The figure of all samples, each once. */
    public double whole() {
      return whole;
    }

    /**
     * What this figure is more than another of the same samples.
     *
     * @param other of as many samples and draws
     */
    public Draws minus(Draws other) {
      if (other.values.length != values.length) {
        throw new IllegalArgumentException(
            "figures of %d and of %d draws do not belong together"
                .formatted(values.length, other.values.length));
      }
      return new Draws(
          whole - other.whole,
          IntStream.range(0, values.length)
              .mapToDouble(k -> values[k] - other.values[k])
              .toArray());
    }

    /** Where the figure lies in 95 % of the cases. */
    public Interval interval() {
      double[] sorted = values.clone();
      Arrays.sort(sorted);
      return new Interval(2 * whole - at(sorted, 0.975), 2 * whole - at(sorted, 0.025));
    }
  }

  /**
   * Draws samples again and again.
   *
   * @param samples how many there are
   * @param draws how often to draw them all
   * @param figure of the samples with these positions; some occur more than once; called from
   *     several threads
   */
  public static Draws draw(int samples, int draws, ToDoubleFunction<int[]> figure) {
    Random random = new Random(SEED);
    List<int[]> orders =
        IntStream.range(0, draws)
            .mapToObj(draw -> random.ints(samples, 0, samples).toArray())
            .toList();
    double[] values = orders.parallelStream().mapToDouble(figure).toArray();
    return new Draws(figure.applyAsDouble(IntStream.range(0, samples).toArray()), values);
  }

  /** The interval of {@link #draw}. */
  public static Interval interval(int samples, int draws, ToDoubleFunction<int[]> figure) {
    return draw(samples, draws, figure).interval();
  }

  private static double at(double[] sorted, double share) {
    return sorted[(int) Math.round(share * (sorted.length - 1))];
  }
}
