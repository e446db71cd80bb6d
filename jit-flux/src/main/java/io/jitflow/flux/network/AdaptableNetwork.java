package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;

/** A network whose matrices can be changed while it is loaded, as adapters do. */
public interface AdaptableNetwork extends AutoCloseable {

  /**
   * Where the network runs and its inputs must be.
   *
   * @return the device
   */
  Device device();

  /**
   * Converts the weights to float32 in place, after which the network computes in float32. Waits
   * for calls in flight.
   *
   * @return false if the module has no method {@code to_float32}, which those of {@code
   *     NetworkProgram} have; it is unchanged then
   * @throws IllegalStateException after close
   */
  boolean toFloat32();

  /**
   * Lets the network compute in float32 with its matrices as they are stored: each is widened where
   * it is used, so that they may stay in mapped memory. Waits for calls in flight.
   *
   * @return false if the module has no method {@code compute_in_float32}, which those of {@code
   *     NetworkProgram} have; it is unchanged then
   * @throws IllegalStateException after close
   */
  boolean computeInFloat32();

  /**
   * Adds {@code up down} to rows of a matrix, in float32 and rounded to the type of the weights.
   * Waits for calls in flight. The file that the network was loaded from stays as it is.
   *
   * @param tensor name of the matrix in {@code NetworkProgram}
   * @param firstRow first row that changes
   * @param up {@code [rows, rank]}, FLOAT32, on the network's device; not changed
   * @param down {@code [rank, columns]}, FLOAT32, on the network's device; not changed
   * @throws IllegalStateException after close, or if the module cannot be changed, because it is
   *     not one of ours or was converted by an older version
   */
  void addProduct(String tensor, long firstRow, NDArray up, NDArray down);

  /** Waits for calls in flight and frees the weights. Further calls have no effect. */
  @Override
  void close();
}
