package io.jitflow.core.token;

import io.jitflow.core.check.Checks;

/**
 * The grid that latent tokens sit on, in row-major order: token {@code n} is at row {@code n /
 * cols}, column {@code n % cols}.
 *
 * @param rows number of rows, 1 to 32,768; for FLUX the image height in px divided by 16
 * @param cols number of columns, 1 to 32,768; for FLUX the image width in px divided by 16
 */
public record TokenGrid(int rows, int cols) {
  /** Keeps token indices and squared distances within {@code int}. */
  private static final int MAX_EXTENT = 32_768;

  /**
   * Checks the extents.
   *
   * @param rows 1 to 32,768
   * @param cols 1 to 32,768
   * @throws IllegalArgumentException if an extent is below 1 or above 32,768
   */
  public TokenGrid {
    Checks.argument(
        rows >= 1 && cols >= 1,
        "a token grid needs at least 1 row and 1 column, got %d x %d",
        rows,
        cols);
    Checks.argument(
        rows <= MAX_EXTENT && cols <= MAX_EXTENT,
        "a token grid has at most %d rows and columns, got %d x %d",
        MAX_EXTENT,
        rows,
        cols);
  }

  /**
   * Returns the number of tokens, N.
   *
   * @return rows times columns
   */
  public int tokens() {
    return rows * cols;
  }

  /**
   * Returns the index of a position.
   *
   * @param row the row, from 0
   * @param col the column, from 0
   * @return the token's index
   */
  public int index(int row, int col) {
    return row * cols + col;
  }

  /**
   * Returns the row of a token.
   *
   * @param token the token's index
   * @return its row
   */
  public int row(int token) {
    return token / cols;
  }

  /**
   * Returns the column of a token.
   *
   * @param token the token's index
   * @return its column
   */
  public int col(int token) {
    return token % cols;
  }

  /** Returns {@code rows x cols}. */
  @Override
  public String toString() {
    return rows + " x " + cols;
  }
}
