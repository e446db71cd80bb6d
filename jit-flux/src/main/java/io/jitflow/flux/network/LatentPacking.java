package io.jitflow.flux.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;

/**
 * Between latent images and image tokens: a token is a square of 2 x 2 latent pixels.
 *
 * <p>Channel {@code 4 c + 2 dy + dx} of the token at (row, col) is latent pixel {@code (c, 2 row +
 * dy, 2 col + dx)}; tokens are in row-major order.
 */
public final class LatentPacking {
  private static final int SIDE = 2;
  private static final int PIXELS = SIDE * SIDE;

  private LatentPacking() {}

  /**
   * Cuts latent images into tokens.
   *
   * @param latents {@code [batch, channels, 2 rows, 2 cols]}, FLOAT32; not changed
   * @return {@code [batch, rows * cols, 4 channels]}, attached to the manager of {@code latents}
   * @throws IllegalArgumentException if the latents have another shape or type
   */
  public static NDArray pack(NDArray latents) {
    Shape shape = latents.getShape();
    requireFloat("latents", latents);
    Checks.argument(
        shape.dimension() == 4 && shape.get(2) % SIDE == 0 && shape.get(3) % SIDE == 0,
        "latents must have shape (batch, channels, even height, even width), got %s",
        shape);
    long batch = shape.get(0);
    long channels = shape.get(1);
    long rows = shape.get(2) / SIDE;
    long cols = shape.get(3) / SIDE;
    try (NDArray squares = latents.reshape(batch, channels, rows, SIDE, cols, SIDE);
        NDArray ordered = squares.transpose(0, 2, 4, 1, 3, 5)) {
      return ordered.reshape(batch, rows * cols, PIXELS * channels);
    }
  }

  /**
   * Puts all tokens of a grid back together.
   *
   * @param tokens {@code [batch, rows * cols, 4 channels]}, FLOAT32, in row-major order; not
   *     changed
   * @param grid rows and columns of tokens
   * @return {@code [batch, channels, 2 rows, 2 cols]}, attached to the manager of {@code tokens}
   * @throws IllegalArgumentException if the tokens have another shape or type
   */
  public static NDArray unpack(NDArray tokens, TokenGrid grid) {
    Shape shape = tokens.getShape();
    requireFloat("tokens", tokens);
    Checks.argument(
        shape.dimension() == 3 && shape.get(1) == grid.tokens() && shape.get(2) % PIXELS == 0,
        "tokens must have shape (batch, %d, a multiple of %d) for %s, got %s",
        grid.tokens(),
        PIXELS,
        grid,
        shape);
    long batch = shape.get(0);
    long channels = shape.get(2) / PIXELS;
    try (NDArray squares = tokens.reshape(batch, grid.rows(), grid.cols(), channels, SIDE, SIDE);
        NDArray ordered = squares.transpose(0, 3, 1, 4, 2, 5)) {
      return ordered.reshape(batch, channels, (long) SIDE * grid.rows(), (long) SIDE * grid.cols());
    }
  }

  private static void requireFloat(String name, NDArray array) {
    Checks.argument(
        array.getDataType() == DataType.FLOAT32,
        "%s must be FLOAT32, got %s",
        name,
        array.getDataType());
  }
}
