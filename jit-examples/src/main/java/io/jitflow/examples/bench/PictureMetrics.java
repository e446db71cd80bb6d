package io.jitflow.examples.bench;

import java.awt.image.BufferedImage;
import java.util.function.DoubleUnaryOperator;

/** Plain measures of pictures. */
public final class PictureMetrics {
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
}
