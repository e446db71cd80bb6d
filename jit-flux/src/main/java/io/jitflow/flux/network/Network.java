package io.jitflow.flux.network;

import ai.djl.Device;

/**
 * What every network has, whatever it computes: sizes, a device, weights that can be widened and
 * must be freed.
 *
 * @param <A> its sizes
 */
abstract class Network<A> implements AutoCloseable {
  final A architecture;
  final LoadedModule module;

  /** Checks what comes in, before it reaches native code. */
  final Boundary boundary;

  Network(String what, A architecture, LoadedModule module) {
    this.architecture = architecture;
    this.module = module;
    this.boundary = new Boundary(what, module.device());
  }

  /**
   * The sizes.
   *
   * @return the architecture given to {@code load}
   */
  public A architecture() {
    return architecture;
  }

  /**
   * Where the network runs and its inputs must be.
   *
   * @return the device
   */
  public Device device() {
    return module.device();
  }

  /**
   * Converts the weights to float32 in place, after which the network computes in float32. Waits
   * for calls in flight.
   *
   * @return false if the module has no method {@code to_float32}, which those of {@code
   *     NetworkProgram} have; it is unchanged then
   * @throws IllegalStateException after {@link #close}
   */
  public boolean toFloat32() {
    return module.toFloat32();
  }

  /**
   * Lets the network compute in float32 with its matrices as they are stored: each is widened where
   * it is used, so that they may stay in mapped memory. Waits for calls in flight.
   *
   * @return false if the module has no method {@code compute_in_float32}, which those of {@code
   *     NetworkProgram} have; it is unchanged then
   * @throws IllegalStateException after {@link #close}
   */
  public boolean computeInFloat32() {
    return module.computeInFloat32();
  }

  /** Waits for calls in flight and frees the weights. Further calls have no effect. */
  @Override
  public void close() {
    module.close();
  }
}
