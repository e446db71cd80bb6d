package io.jitflow.flux.adapter;

import java.util.Arrays;

/**
 * A change of some rows of a matrix, as the product of two factors; every scale is in the first.
 *
 * @param firstRow first row of the matrix that changes
 * @param rows how many rows
 * @param columns how many columns
 * @param rank the inner size
 * @param up {@code [rows, rank]}, row-major
 * @param down {@code [rank, columns]}, row-major
 */
public record LoraProduct(
    long firstRow, int rows, int columns, int rank, float[] up, float[] down) {

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
