package io.jitflow.flux.adapter;

import java.util.Arrays;

/**
 * A change of some rows of a matrix, as the product of two factors; every scale is in the first.
 */
public final class LoraProduct {
  private final long firstRow;
  private final int rows;
  private final int columns;
  private final int rank;
  private final float[] up;
  private final float[] down;

  LoraProduct(long firstRow, int rows, int columns, int rank, float[] up, float[] down) {
    this.firstRow = firstRow;
    this.rows = rows;
    this.columns = columns;
    this.rank = rank;
    this.up = up;
    this.down = down;
  }

  /** {@return the first row of the matrix that changes} */
  public long firstRow() {
    return firstRow;
  }

  /** {@return how many rows change} */
  public int rows() {
    return rows;
  }

  /** {@return the matrix's columns} */
  public int columns() {
    return columns;
  }

  /** {@return the inner size} */
  public int rank() {
    return rank;
  }

  /** {@return a copy of the first factor, [rows, rank], row-major} */
  public float[] up() {
    return up.clone();
  }

  /** {@return a copy of the second factor, [rank, columns], row-major} */
  public float[] down() {
    return down.clone();
  }

  /**
   * Adds the change of one row in float32.
   *
   * @param row which row of the matrix
   * @param values takes the sum: the row's columns, at an offset
   * @param offset where the row begins
   * @param scratch at least {@code columns} values, overwritten
   */
  public void addTo(long row, float[] values, int offset, float[] scratch) {
    if (row < firstRow || row >= firstRow + rows) {
      return;
    }
    // the sum over the rank first: the change is small beside the weight it is added to
    Arrays.fill(scratch, 0, columns, 0f);
    int first = (int) (row - firstRow) * rank;
    for (int r = 0; r < rank; r++) {
      float factor = up[first + r];
      int base = r * columns;
      for (int c = 0; c < columns; c++) {
        scratch[c] += factor * down[base + c];
      }
    }
    for (int c = 0; c < columns; c++) {
      values[offset + c] += scratch[c];
    }
  }
}
