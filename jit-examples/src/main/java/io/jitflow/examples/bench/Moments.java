package io.jitflow.examples.bench;

import java.util.List;

/**
 * Number, sum and sums of products of vectors: all that a mean and a covariance need, so that sets
 * are joined by adding. Immutable.
 */
public final class Moments {
  private final int count;
  private final double[] sum;

  /** The upper triangle of the sum of the vectors' outer products, row by row. */
  private final double[] products;

  private Moments(int count, double[] sum, double[] products) {
    this.count = count;
    this.sum = sum;
    this.products = products;
  }

  /** How many vectors. */
  int count() {
    return count;
  }

  /** Their sum, not to be changed. */
  double[] sum() {
    return sum;
  }

  /** The upper triangle of the sum of their outer products, row by row, not to be changed. */
  double[] products() {
    return products;
  }

  /**
   * Of a set.
   *
   * @param samples at least one, all of one length; not changed
   */
  public static Moments of(List<double[]> samples) {
    int length = samples.get(0).length;
    double[] sum = new double[length];
    double[] products = new double[length * (length + 1) / 2];
    for (double[] sample : samples) {
      int at = 0;
      for (int i = 0; i < length; i++) {
        sum[i] += sample[i];
        for (int j = i; j < length; j++) {
          products[at++] += sample[i] * sample[j];
        }
      }
    }
    return new Moments(samples.size(), sum, products);
  }

  /**
   * Of sets taken together.
   *
   * @param parts at least one; one that occurs twice counts twice
   */
  public static Moments together(List<Moments> parts) {
    double[] sum = new double[parts.get(0).sum.length];
    double[] products = new double[parts.get(0).products.length];
    int count = 0;
    for (Moments part : parts) {
      count += part.count;
      add(part.sum, sum);
      add(part.products, products);
    }
    return new Moments(count, sum, products);
  }

  private static void add(double[] part, double[] sum) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += part[i];
    }
  }
}
