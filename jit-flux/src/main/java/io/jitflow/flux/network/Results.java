package io.jitflow.flux.network;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;

/** Checks of what a module returned, which may have been made elsewhere. */
final class Results {
  private Results() {}

  /** The one result, of the given shape. */
  static NDArray only(String network, NDList results, Shape expected) {
    if (results.size() != 1) {
      String message = network + " must return one tensor, got " + results.size();
      results.close();
      throw new IllegalStateException(message);
    }
    return checked(network, results, 0, expected);
  }

  /** The result at a position; all results are closed if it is not as expected. */
  static NDArray checked(String network, NDList results, int position, Shape expected) {
    NDArray result = results.get(position);
    if (result.getDataType() != DataType.FLOAT32 || !result.getShape().equals(expected)) {
      String message =
          network
              + " must return FLOAT32 "
              + expected
              + ", got "
              + result.getDataType()
              + " "
              + result.getShape();
      results.close();
      throw new IllegalStateException(message);
    }
    return result;
  }
}
