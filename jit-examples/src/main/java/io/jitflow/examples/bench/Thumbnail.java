package io.jitflow.examples.bench;

import java.awt.image.BufferedImage;

/** A picture reduced to 16 x 16 RGB pixels by averaging, with levels from 0 to 255. */
public final class Thumbnail {
  public static final int SIDE = 16;

  private final double[] levels = new double[SIDE * SIDE * 3];

  private Thumbnail() {}

  /** Reduces a picture whose sides are multiples of 16. */
  public static Thumbnail of(BufferedImage picture) {
    Thumbnail thumbnail = new Thumbnail();
    int cellWidth = picture.getWidth() / SIDE;
    int cellHeight = picture.getHeight() / SIDE;
    double share = 1.0 / (cellWidth * cellHeight);
    for (int y = 0; y < SIDE * cellHeight; y++) {
      for (int x = 0; x < SIDE * cellWidth; x++) {
        int rgb = picture.getRGB(x, y);
        int cell = 3 * (y / cellHeight * SIDE + x / cellWidth);
        thumbnail.levels[cell] += share * (rgb >> 16 & 0xff);
        thumbnail.levels[cell + 1] += share * (rgb >> 8 & 0xff);
        thumbnail.levels[cell + 2] += share * (rgb & 0xff);
      }
    }
    return thumbnail;
  }

  /** The root of the mean squared difference of two thumbnails' levels. */
  public double distance(Thumbnail other) {
    double sum = 0;
    for (int i = 0; i < levels.length; i++) {
      double difference = levels[i] - other.levels[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum / levels.length);
  }
}
