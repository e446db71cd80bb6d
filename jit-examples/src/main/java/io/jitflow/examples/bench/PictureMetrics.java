package io.jitflow.examples.bench;

import java.awt.image.BufferedImage;
import java.util.function.DoubleUnaryOperator;

/** Plain measures of pictures. */
public final class PictureMetrics {
  private static final int WINDOW = 8;

  private PictureMetrics() {}

  /** Mean absolute difference of the levels of two pictures of one size, from 0 to 255. */
  public static double meanAbsoluteError(BufferedImage a, BufferedImage b) {
    return mean(Math::abs, a, b, 0, 0, a.getWidth(), a.getHeight());
  }

  /** Mean squared difference of the levels of two pictures of one size, from 0 to 255 squared. */
  public static double meanSquaredError(BufferedImage a, BufferedImage b) {
    return blockError(a, b, 0, 0, a.getWidth(), a.getHeight());
  }

  /** The same within a block. */
  public static double blockError(
      BufferedImage a, BufferedImage b, int left, int top, int width, int height) {
    return mean(difference -> difference * difference, a, b, left, top, width, height);
  }

  private static double mean(
      DoubleUnaryOperator measure,
      BufferedImage a,
      BufferedImage b,
      int left,
      int top,
      int width,
      int height) {
    double sum = 0;
    for (int y = top; y < top + height; y++) {
      for (int x = left; x < left + width; x++) {
        int p = a.getRGB(x, y);
        int q = b.getRGB(x, y);
        for (int shift = 0; shift <= 16; shift += 8) {
          sum += measure.applyAsDouble((p >> shift & 0xff) - (q >> shift & 0xff));
        }
      }
    }
    return sum / (3.0 * width * height);
  }

  /** Peak signal-to-noise ratio in dB of 8-bit pictures. */
  public static double psnr(double meanSquaredError) {
    return 10 * Math.log10(255 * 255 / meanSquaredError);
  }

  /** Mean absolute Laplacian of the grey levels, which go from 0 to 1. */
  public static double sharpness(BufferedImage picture) {
    double sum = 0;
    for (int y = 1; y < picture.getHeight() - 1; y++) {
      for (int x = 1; x < picture.getWidth() - 1; x++) {
        sum +=
            Math.abs(
                4 * grey(picture, x, y)
                    - grey(picture, x - 1, y)
                    - grey(picture, x + 1, y)
                    - grey(picture, x, y - 1)
                    - grey(picture, x, y + 1));
      }
    }
    return sum / ((picture.getWidth() - 2.0) * (picture.getHeight() - 2));
  }

  private static double grey(BufferedImage picture, int x, int y) {
    int rgb = picture.getRGB(x, y);
    return ((rgb >> 16 & 0xff) + (rgb >> 8 & 0xff) + (rgb & 0xff)) / (3.0 * 255);
  }

  /**
   * Structural similarity of the grey levels of two pictures of one size, 1 for equal ones: the
   * mean over windows of 8 x 8 px, 4 px apart (Wang and others 2004, with plain windows).
   */
  public static double structuralSimilarity(BufferedImage a, BufferedImage b) {
    double[][] p = greys(a);
    double[][] q = greys(b);
    double sum = 0;
    int windows = 0;
    for (int top = 0; top + WINDOW <= p.length; top += WINDOW / 2) {
      for (int left = 0; left + WINDOW <= p[0].length; left += WINDOW / 2) {
        sum += similarity(p, q, top, left);
        windows++;
      }
    }
    return sum / windows;
  }

  private static double similarity(double[][] p, double[][] q, int top, int left) {
    double[] sums = new double[5];
    for (int y = top; y < top + WINDOW; y++) {
      for (int x = left; x < left + WINDOW; x++) {
        double u = p[y][x];
        double v = q[y][x];
        sums[0] += u;
        sums[1] += v;
        sums[2] += u * u;
        sums[3] += v * v;
        sums[4] += u * v;
      }
    }
    for (int k = 0; k < sums.length; k++) {
      sums[k] /= WINDOW * WINDOW;
    }
    double means = sums[0] * sums[1];
    double squares = sums[0] * sums[0] + sums[1] * sums[1];
    double variances = sums[2] + sums[3] - squares;
    double covariance = sums[4] - means;
    double c1 = 0.01 * 0.01;
    double c2 = 0.03 * 0.03;
    return (2 * means + c1) * (2 * covariance + c2) / ((squares + c1) * (variances + c2));
  }

  /**
   * The power of a picture's grey levels in octaves of frequency, from the finest (period 2 to 4
   * px) on: the variance that halving the resolution takes away, again and again.
   */
  public static double[] octaves(BufferedImage picture, int count) {
    double[][] grey = greys(picture);
    double[] power = new double[count];
    for (int octave = 0; octave < count; octave++) {
      double[][] half = new double[grey.length / 2][grey[0].length / 2];
      double sum = 0;
      for (int y = 0; y < half.length; y++) {
        for (int x = 0; x < half[0].length; x++) {
          double mean = 0;
          double square = 0;
          for (int part = 0; part < 4; part++) {
            double value = grey[2 * y + part / 2][2 * x + part % 2];
            mean += value / 4;
            square += value * value / 4;
          }
          half[y][x] = mean;
          sum += square - mean * mean;
        }
      }
      power[octave] = sum / (half.length * half[0].length);
      grey = half;
    }
    return power;
  }

  private static double[][] greys(BufferedImage picture) {
    double[][] greys = new double[picture.getHeight()][picture.getWidth()];
    for (int y = 0; y < greys.length; y++) {
      for (int x = 0; x < greys[y].length; x++) {
        greys[y][x] = grey(picture, x, y);
      }
    }
    return greys;
  }
}
