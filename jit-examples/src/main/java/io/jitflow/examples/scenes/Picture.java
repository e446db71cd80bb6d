package io.jitflow.examples.scenes;

import java.awt.image.BufferedImage;
import java.util.Random;

/**
 * An RGB picture as levels from 0 to 255, with what the measures need of it. Not thread-safe:
 * {@link #rgb} is shared, and never changed after it was made.
 */
final class Picture {
  final int width;
  final int height;

  /** Red, green, blue, row by row. */
  final float[] rgb;

  Picture(int width, int height, float[] rgb) {
    this.width = width;
    this.height = height;
    this.rgb = rgb;
  }

  static Picture of(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    int[] packed = image.getRGB(0, 0, width, height, null, 0, width);
    float[] rgb = new float[packed.length * 3];
    for (int i = 0; i < packed.length; i++) {
      rgb[3 * i] = packed[i] >> 16 & 0xff;
      rgb[3 * i + 1] = packed[i] >> 8 & 0xff;
      rgb[3 * i + 2] = packed[i] & 0xff;
    }
    return new Picture(width, height, rgb);
  }

  static Picture of(Scene scene, int width, int height) {
    byte[] bytes = SceneRenderer.render(scene, width, height);
    float[] rgb = new float[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      rgb[i] = bytes[i] & 0xff;
    }
    return new Picture(width, height, rgb);
  }

  /** Means over blocks. */
  Picture reduced(int newWidth, int newHeight) {
    if (width % newWidth != 0 || height % newHeight != 0) {
      throw new IllegalArgumentException(
          "%d x %d px does not divide into %d x %d blocks"
              .formatted(width, height, newWidth, newHeight));
    }
    int across = width / newWidth;
    int down = height / newHeight;
    float[] means = new float[newWidth * newHeight * 3];
    float share = 1f / (across * down);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int from = (y * width + x) * 3;
        int to = (y / down * newWidth + x / across) * 3;
        means[to] += share * rgb[from];
        means[to + 1] += share * rgb[from + 1];
        means[to + 2] += share * rgb[from + 2];
      }
    }
    return new Picture(newWidth, newHeight, means);
  }

  /** Means over squares of 2 radius + 1. */
  Picture blurred(int radius) {
    return blurred(radius, 3).blurred(radius, 3 * width);
  }

  /** One direction: {@code stride} 3 is along rows, 3 width along columns. */
  private Picture blurred(int radius, int stride) {
    boolean rows = stride == 3;
    float[] out = new float[rgb.length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int place = rows ? x : y;
        int last = (rows ? width : height) - 1;
        for (int c = 0; c < 3; c++) {
          int i = (y * width + x) * 3 + c;
          float sum = 0;
          for (int k = -radius; k <= radius; k++) {
            int clamped = Math.max(0, Math.min(last, place + k));
            sum += rgb[i + (clamped - place) * stride];
          }
          out[i] = sum / (2 * radius + 1);
        }
      }
    }
    return new Picture(width, height, out);
  }

  /** The blocks in random order. */
  Picture shuffled(int block, long seed) {
    int across = width / block;
    int count = across * (height / block);
    int[] order = new int[count];
    Random random = new Random(seed);
    for (int i = 0; i < count; i++) {
      int k = random.nextInt(i + 1);
      order[i] = order[k];
      order[k] = i;
    }
    float[] out = rgb.clone();
    for (int i = 0; i < count; i++) {
      for (int y = 0; y < block; y++) {
        int to = ((i / across * block + y) * width + i % across * block) * 3;
        int from = ((order[i] / across * block + y) * width + order[i] % across * block) * 3;
        System.arraycopy(rgb, from, out, to, block * 3);
      }
    }
    return new Picture(width, height, out);
  }

  /** Root of the mean squared difference of the levels. */
  double distance(Picture other) {
    double sum = 0;
    for (int i = 0; i < rgb.length; i++) {
      double difference = rgb[i] - other.rgb[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum / rgb.length);
  }

  float[] grey() {
    float[] grey = new float[width * height];
    for (int i = 0; i < grey.length; i++) {
      grey[i] = (rgb[3 * i] + rgb[3 * i + 1] + rgb[3 * i + 2]) / 3;
    }
    return grey;
  }
}
