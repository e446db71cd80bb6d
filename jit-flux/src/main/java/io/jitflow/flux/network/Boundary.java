package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.check.Checks;

/** Checks of tensors before they reach native code. */
final class Boundary {
  private final String network;
  private final Device device;

  Boundary(String network, Device device) {
    this.network = network;
    this.device = device;
  }

  /**
   * Requires a type, a device and a shape; a negative dimension in {@code shape} allows any
   * positive size.
   */
  void require(String name, NDArray array, DataType type, long... shape) {
    Shape found = array.getShape();
    boolean fits = found.dimension() == shape.length;
    for (int i = 0; fits && i < shape.length; i++) {
      fits = shape[i] < 0 ? found.get(i) > 0 : found.get(i) == shape[i];
    }
    if (!fits) {
      throw new IllegalArgumentException(
          network + ": " + name + " must have shape " + text(shape) + ", got " + found);
    }
    Checks.argument(
        array.getDataType() == type,
        "%s: %s must be %s, got %s",
        network,
        name,
        type,
        array.getDataType());
    Checks.argument(
        array.getDevice().equals(device),
        "%s is on %s, got %s on %s; move it with toDevice",
        network,
        device,
        name,
        array.getDevice());
  }

  /** Requires token ids [batch, length] of the vocabulary and at most {@code longest} of them. */
  void requireIds(NDArray ids, int vocabulary, long longest) {
    require("input_ids", ids, DataType.INT64, -1, -1);
    long length = ids.getShape().get(1);
    Checks.argument(
        length <= longest,
        "%s: input_ids may have at most %d tokens, got %d",
        network,
        longest,
        length);
    for (long id : ids.toLongArray()) {
      if (id < 0 || id >= vocabulary) {
        throw new IllegalArgumentException(
            network
                + ": input_ids must lie in 0.."
                + (vocabulary - 1)
                + ", got "
                + id
                + "; the tokenizer belongs to another model");
      }
    }
  }

  private static String text(long[] shape) {
    StringBuilder out = new StringBuilder("(");
    for (int i = 0; i < shape.length; i++) {
      out.append(i == 0 ? "" : ", ").append(shape[i] < 0 ? "*" : Long.toString(shape[i]));
    }
    return out.append(')').toString();
  }
}
