package io.jitflow.flux.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.function.UnaryOperator;

/**
 * The overlapping tiles that cover an image, which a network reads and writes one after the other.
 *
 * @param rows the tiles from top to bottom, whose weights are those of what the network writes
 * @param columns the tiles from left to right, likewise
 */
record Tiles(TileAxis rows, TileAxis columns) {

  /** Whether one tile covers everything. */
  boolean areOne() {
    return rows.count() == 1 && columns.count() == 1;
  }

  /**
   * Lets a network read every tile of its input and blends what it writes.
   *
   * @param input {@code [batch, channels, height, width]}
   * @param inputScale pixels of the input per latent pixel
   * @param output the shape of the result
   * @param outputScale pixels of the result per latent pixel
   * @param network what is computed of a tile
   * @return the result, FLOAT32, attached to the manager of the input
   */
  NDArray blend(
      NDArray input,
      int inputScale,
      Shape output,
      int outputScale,
      UnaryOperator<NDArray> network) {
    NDManager owner = input.getManager();
    NDArray whole = owner.zeros(output, DataType.FLOAT32);
    try {
      for (int row = 0; row < rows.count(); row++) {
        for (int column = 0; column < columns.count(); column++) {
          try (NDManager scratch = owner.newSubManager()) {
            NDArray piece = input.get(scratch, window(row, column, inputScale));
            NDArray down = scratch.create(rows.weights(row)).reshape(-1, 1);
            NDArray weights = down.mul(scratch.create(columns.weights(column)));
            NDArray part = network.apply(piece).mul(weights);
            whole.get(scratch, window(row, column, outputScale)).addi(part);
          }
        }
      }
      return whole;
    } catch (RuntimeException e) {
      whole.close();
      throw e;
    }
  }

  private NDIndex window(int row, int column, int scale) {
    long top = (long) rows.start(row) * scale;
    long left = (long) columns.start(column) * scale;
    return new NDIndex()
        .addAllDim()
        .addAllDim()
        .addSliceDim(top, top + (long) rows.tile() * scale)
        .addSliceDim(left, left + (long) columns.tile() * scale);
  }
}
