package io.jitflow.flux.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;

/**
 * FLUX's packing: 2 x 2 latent pixels become one token, in row-major order, with channel {@code 4 c
 * + 2 dy + dx} for the latent pixel {@code (c, 2 row + dy, 2 col + dx)}.
 */
public final class LatentPacking {
  private LatentPacking() {}

  /**
   * Packs latents into tokens.
   *
   * @param latents {@code [batch, channels, 2 rows, 2 cols]}, FLOAT32; not changed
   * @return tokens {@code [batch, rows * cols, 4 channels]}, a new array of the same manager
   * @throws IllegalArgumentException if the shape is another, or a side is odd
   */
  public static NDArray pack(NDArray latents) {
    Shape shape = latents.getShape();
    if (shape.dimension() != 4 || shape.get(2) % 2 != 0 || shape.get(3) % 2 != 0) {
      throw new IllegalArgumentException(
          "latents must have the shape [batch, channels, 2 rows, 2 cols], got " + shape);
    }
    long rows = shape.get(2) / 2;
    long cols = shape.get(3) / 2;
    try (NDArray split = latents.reshape(shape.get(0), shape.get(1), rows, 2, cols, 2);
        NDArray ordered = split.transpose(0, 2, 4, 1, 3, 5)) {
      return ordered.reshape(shape.get(0), rows * cols, 4 * shape.get(1));
    }
  }

  /**
   * Unpacks tokens into latents.
   *
   * @param tokens {@code [batch, rows * cols, 4 channels]}, FLOAT32; not changed
   * @param rows rows of the token grid
   * @param cols columns of the token grid
   * @return latents {@code [batch, channels, 2 rows, 2 cols]}, a new array of the same manager
   * @throws IllegalArgumentException if the shape is another
   */
  public static NDArray unpack(NDArray tokens, int rows, int cols) {
    Shape shape = tokens.getShape();
    if (shape.dimension() != 3 || shape.get(1) != (long) rows * cols || shape.get(2) % 4 != 0) {
      throw new IllegalArgumentException(
          "tokens must have the shape [batch, %d * %d, 4 channels], got %s"
              .formatted(rows, cols, shape));
    }
    long channels = shape.get(2) / 4;
    try (NDArray split = tokens.reshape(shape.get(0), rows, cols, channels, 2, 2);
        NDArray ordered = split.transpose(0, 3, 1, 4, 2, 5)) {
      return ordered.reshape(shape.get(0), channels, 2L * rows, 2L * cols);
    }
  }
}
