package io.jitflow.examples.scenes;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What pictures look like from near, whatever they show. */
final class TextureStatistics {
  private static final int PATCH = 8;
  private static final int PATCHES = 64;
  private static final int OCTAVES = 5;
  private static final double[][] COSINES = cosines();

  private TextureStatistics() {}

  private static double[][] cosines() {
    double[][] table = new double[PATCH][PATCH];
    for (int k = 0; k < PATCH; k++) {
      for (int x = 0; x < PATCH; x++) {
        table[k][x] =
            Math.sqrt((k == 0 ? 1.0 : 2.0) / PATCH) * Math.cos(Math.PI * (x + 0.5) * k / PATCH);
      }
    }
    return table;
  }

  /**
   * The discrete cosine transforms of 64 patches of 8 x 8 grey pixels, at places that are the same
   * for all pictures of one size. In units of levels from 0 to 1.
   */
  static List<double[]> patches(Picture picture) {
    float[] grey = picture.grey();
    Random places = new Random(8);
    List<double[]> patches = new ArrayList<>(PATCHES);
    for (int k = 0; k < PATCHES; k++) {
      int left = places.nextInt(picture.width - PATCH + 1);
      int top = places.nextInt(picture.height - PATCH + 1);
      double[][] rows = new double[PATCH][PATCH];
      for (int y = 0; y < PATCH; y++) {
        for (int u = 0; u < PATCH; u++) {
          for (int x = 0; x < PATCH; x++) {
            rows[y][u] += COSINES[u][x] * grey[(top + y) * picture.width + left + x] / 255;
          }
        }
      }
      double[] transform = new double[PATCH * PATCH];
      for (int v = 0; v < PATCH; v++) {
        for (int u = 0; u < PATCH; u++) {
          for (int y = 0; y < PATCH; y++) {
            transform[v * PATCH + u] += COSINES[v][y] * rows[y][u];
          }
        }
      }
      patches.add(transform);
    }
    return patches;
  }

  /**
   * The spectrum in octaves: the logarithm of the power of the Haar wavelets, five octaves from the
   * finest, each horizontally, vertically and diagonally. Sides must be multiples of 32.
   */
  static double[] spectrum(Picture picture) {
    double[] power = new double[OCTAVES * 3];
    float[] level = picture.grey();
    int width = picture.width;
    int height = picture.height;
    for (int octave = 0; octave < OCTAVES; octave++) {
      int halfWidth = width / 2;
      int halfHeight = height / 2;
      float[] next = new float[halfWidth * halfHeight];
      double[] sums = new double[3];
      for (int y = 0; y < halfHeight; y++) {
        for (int x = 0; x < halfWidth; x++) {
          int i = 2 * y * width + 2 * x;
          float a = level[i];
          float b = level[i + 1];
          float c = level[i + width];
          float d = level[i + width + 1];
          float across = (a - b + c - d) / 2;
          float down = (a + b - c - d) / 2;
          float diagonal = (a - b - c + d) / 2;
          sums[0] += across * across;
          sums[1] += down * down;
          sums[2] += diagonal * diagonal;
          next[y * halfWidth + x] = (a + b + c + d) / 4;
        }
      }
      for (int k = 0; k < 3; k++) {
        // rounding to 8 bits alone leaves about a twelfth
        power[3 * octave + k] = Math.log(sums[k] / next.length + 0.1);
      }
      level = next;
      width = halfWidth;
      height = halfHeight;
    }
    return power;
  }
}
