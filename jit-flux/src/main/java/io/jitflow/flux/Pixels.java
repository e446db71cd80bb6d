package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import java.awt.image.BufferedImage;

/** From the decoder's numbers to 8-bit pixels. */
final class Pixels {
  private Pixels() {}

  /**
   * Maps [-1, 1] to 0 .. 255, clipped and rounded.
   *
   * @param decoded {@code [1, 3, heightPx, widthPx]}, FLOAT32, on any device
   * @throws IllegalStateException if a number is not finite
   */
  static BufferedImage toImage(NDArray decoded) {
    int height = Math.toIntExact(decoded.getShape().get(2));
    int width = Math.toIntExact(decoded.getShape().get(3));
    float[] values = decoded.toFloatArray();
    int plane = height * width;
    int[] rgb = new int[plane];
    for (int i = 0; i < plane; i++) {
      rgb[i] =
          level(values[i]) << 16 | level(values[plane + i]) << 8 | level(values[2 * plane + i]);
    }
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    image.setRGB(0, 0, width, height, rgb, 0, width);
    return image;
  }

  private static int level(float value) {
    if (!Float.isFinite(value)) {
      throw new IllegalStateException(
          "the decoder gave values that are not finite; if the weights of a network are f16,"
              + " convert the checkpoint to bf16 or f32");
    }
    double unit = Math.min(1, Math.max(0, (value + 1) / 2));
    return (int) Math.rint(255 * unit);
  }
}
