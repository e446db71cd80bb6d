package io.jitflow.core;

import io.jitflow.core.check.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import org.apache.commons.statistics.distribution.BetaDistribution;

/**
 * The noise levels of a run: {@code steps + 1} sigmas that never rise, the first at most 1, the
 * last 0. Immutable.
 *
 * <p>With {@code s_i = 1 - i/n} for i = 0 .. n-1, the sequence that runs from 1 to 1/n:
 *
 * <ul>
 *   <li>{@link Linear}: {@code sigma_i = s_i}, as FLUX.1-schnell;
 *   <li>{@link DynamicShift}: {@code sigma_i = e^mu / (e^mu + 1/s_i - 1)}, as FLUX.1-dev;
 *   <li>{@link Beta}: the inverse cumulative distribution of a Beta distribution, as the authors'
 *       release of JiT;
 *   <li>{@link Custom}: any given values.
 * </ul>
 *
 * <p>Values are rounded to float32, the precision in which the reference implementations step. At
 * very large grids a strongly shifted schedule has neighbours that round to the same number; the
 * step between them has length 0, as in the reference implementations. Given values must strictly
 * decrease.
 */
public sealed interface SigmaSchedule {

  /**
   * Returns the sigmas of a run.
   *
   * @param steps the number of model evaluations, at least 1
   * @param tokens the number of tokens of one sample, which shifted schedules depend on
   * @return {@code steps + 1} values that never rise; a new array
   * @throws IllegalArgumentException if the schedule cannot serve that many steps
   */
  double[] sigmas(int steps, int tokens);

  /**
   * Returns the schedule of a run that starts at a lower noise level: that level, and then the
   * levels of this schedule below it.
   *
   * @param sigma where to start, above 0 and at most 1; rounded to float32
   * @param steps the number of steps of the whole run
   * @param tokens the number of tokens of the grid
   * @return the remaining noise levels, without repeats; all of them if sigma is not below the
   *     first
   * @throws IllegalArgumentException if sigma is out of range
   */
  default Custom startingAt(double sigma, int steps, int tokens) {
    Checks.argument(
        sigma > 0 && sigma <= 1, "a run starts at a sigma above 0 and at most 1, got %s", sigma);
    float first = (float) sigma;
    double[] all = sigmas(steps, tokens);
    List<Double> left = new ArrayList<>();
    if (first < all[0] && DoubleStream.of(all).noneMatch(own -> (float) own == first)) {
      left.add((double) first);
    }
    for (double own : all) {
      boolean isLeft = (float) own <= first;
      if (isLeft && (left.isEmpty() || own < left.get(left.size() - 1))) {
        left.add(own);
      }
    }
    return new Custom(left);
  }

  /**
   * Returns the unshifted schedule.
   *
   * @return the linear schedule
   */
  static SigmaSchedule linear() {
    return new Linear();
  }

  /**
   * Returns a Beta schedule.
   *
   * @param alpha first shape parameter, above 0; the release uses 1.4
   * @param beta second shape parameter, above 0; the release uses 0.425 (its README says 0.42)
   * @return the schedule
   */
  static SigmaSchedule beta(double alpha, double beta) {
    return new Beta(alpha, beta);
  }

  /**
   * Returns a schedule of given values.
   *
   * @param sigmas strictly decreasing values, the first at most 1, the last 0
   * @return the schedule
   */
  static SigmaSchedule custom(double... sigmas) {
    return new Custom(DoubleStream.of(sigmas).boxed().toList());
  }

  /** Unshifted: {@code sigma_i = 1 - i/n}. */
  record Linear() implements SigmaSchedule {
    @Override
    public double[] sigmas(int steps, int tokens) {
      return toFloatPrecision(uniform(steps));
    }
  }

  /**
   * Shifted towards high noise by the token count: {@code mu} is linear in it through two points,
   * not clipped outside them.
   *
   * @param baseShift mu at {@code baseTokens}
   * @param maxShift mu at {@code maxTokens}
   * @param baseTokens token count of the first point
   * @param maxTokens token count of the second point, above the first
   */
  record DynamicShift(double baseShift, double maxShift, int baseTokens, int maxTokens)
      implements SigmaSchedule {
    /**
     * Checks the points.
     *
     * @param baseShift finite
     * @param maxShift finite
     * @param baseTokens 1 or more
     * @param maxTokens above {@code baseTokens}
     * @throws IllegalArgumentException if the token counts do not rise or a shift is not finite
     */
    public DynamicShift {
      Checks.argument(
          baseTokens >= 1 && maxTokens > baseTokens,
          "maxTokens must be above baseTokens, got baseTokens %d and maxTokens %d",
          baseTokens,
          maxTokens);
      Checks.argument(
          Double.isFinite(baseShift) && Double.isFinite(maxShift),
          "shifts must be finite, got %s and %s",
          baseShift,
          maxShift);
    }

    /**
     * Returns the shift of a token count.
     *
     * @param tokens the number of tokens of one sample
     * @return mu
     */
    public double mu(int tokens) {
      double slope = (maxShift - baseShift) / (maxTokens - baseTokens);
      return baseShift + slope * (tokens - baseTokens);
    }

    @Override
    public double[] sigmas(int steps, int tokens) {
      double[] sigmas = uniform(steps);
      double exp = Math.exp(mu(tokens));
      for (int i = 0; i < steps; i++) {
        sigmas[i] = exp / (exp + 1 / sigmas[i] - 1);
      }
      return toFloatPrecision(sigmas);
    }
  }

  /**
   * Quantiles of Beta(alpha, beta), mapped to [1/n, 1]: {@code sigma_i = 1/n + (1 - 1/n) q(1 -
   * i/(n-1))}; for n = 1 the one sigma is 1.
   *
   * @param alpha first shape parameter, above 0
   * @param beta second shape parameter, above 0
   */
  record Beta(double alpha, double beta) implements SigmaSchedule {
    /**
     * Checks the parameters.
     *
     * @param alpha positive and finite
     * @param beta positive and finite
     * @throws IllegalArgumentException if a parameter is not positive and finite
     */
    public Beta {
      Checks.argument(
          alpha > 0 && beta > 0 && Double.isFinite(alpha) && Double.isFinite(beta),
          "the parameters of a Beta schedule must be positive, got alpha %s and beta %s",
          alpha,
          beta);
    }

    @Override
    public double[] sigmas(int steps, int tokens) {
      double[] sigmas = uniform(steps);
      BetaDistribution distribution = BetaDistribution.of(alpha, beta);
      double smallest = 1.0 / steps;
      for (int i = 0; i < steps; i++) {
        double p = steps == 1 ? 1 : 1 - (double) i / (steps - 1);
        sigmas[i] = smallest + (1 - smallest) * quantile(distribution, p);
      }
      return toFloatPrecision(sigmas);
    }

    /*
     * The library's root finder stops within an absolute error of 1e-9 of the quantile; where the
     * density is steep (q near 1 for beta < 1) one Newton step on the better conditioned tail
     * brings the last digits.
     */
    private static double quantile(BetaDistribution distribution, double p) {
      double q = distribution.inverseCumulativeProbability(p);
      if (q <= 0 || q >= 1) {
        return q;
      }
      double density = distribution.density(q);
      if (!(density > 0) || Double.isInfinite(density)) {
        return q;
      }
      double refined = q - (distribution.cumulativeProbability(q) - p) / density;
      return refined > 0 && refined < 1 ? refined : q;
    }
  }

  /**
   * Given values.
   *
   * @param values strictly decreasing sigmas, the first at most 1, the last 0
   */
  record Custom(List<Double> values) implements SigmaSchedule {
    /**
     * Checks and copies the values.
     *
     * @param values copied
     * @throws IllegalArgumentException if they do not strictly decrease from at most 1 to 0
     */
    public Custom {
      values = List.copyOf(values);
      check(toArray(values));
      for (int i = 1; i < values.size(); i++) {
        Checks.argument(
            !values.get(i).equals(values.get(i - 1)),
            "given sigmas must strictly decrease, but sigmas %d and %d are both %s",
            i - 1,
            i,
            values.get(i));
      }
    }

    @Override
    public double[] sigmas(int steps, int tokens) {
      Checks.argument(
          steps == values.size() - 1,
          "the custom schedule has %d sigmas and serves %d steps, but %d steps were asked for",
          values.size(),
          values.size() - 1,
          steps);
      return toArray(values);
    }

    private static double[] toArray(List<Double> values) {
      return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
  }

  private static double[] uniform(int steps) {
    Checks.steps(steps);
    double[] sigmas = new double[steps + 1];
    for (int i = 0; i < steps; i++) {
      sigmas[i] = 1 - (double) i / steps;
    }
    return sigmas;
  }

  private static double[] toFloatPrecision(double[] sigmas) {
    for (int i = 0; i < sigmas.length; i++) {
      sigmas[i] = (float) sigmas[i];
    }
    check(sigmas);
    return sigmas;
  }

  private static void check(double[] sigmas) {
    Checks.argument(
        sigmas.length >= 2, "a schedule needs at least 2 sigmas (one step), got %s", sigmas.length);
    Checks.argument(
        sigmas[0] <= 1 && sigmas[0] > 0,
        "the first sigma must be above 0 and at most 1, got %s",
        sigmas[0]);
    for (int i = 1; i < sigmas.length; i++) {
      Checks.argument(
          sigmas[i] <= sigmas[i - 1],
          "sigmas must decrease, but sigma %d is %s after %s",
          i,
          sigmas[i],
          sigmas[i - 1]);
    }
    Checks.argument(
        sigmas[sigmas.length - 1] == 0,
        "the last sigma must be 0, got %s",
        sigmas[sigmas.length - 1]);
  }
}
