package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.util.NativeResource;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The checks of what a model returns. */
final class ModelOutput {
  private ModelOutput() {}

  /**
   * Refuses what no sampler could use.
   *
   * @param result what the model returned
   * @param input the tokens it was given
   * @param at says where it was evaluated, for the message
   * @throws ModelOutputException if the result is nothing, a closed array, of another shape, type
   *     or device, or has values that are not finite
   */
  static void check(@Nullable NDArray result, NDArray input, Supplier<String> at) {
    if (result == null) {
      throw new ModelOutputException("the model returned null at %s".formatted(at.get()));
    }
    if (result instanceof NativeResource<?> resource && resource.isReleased()) {
      throw new ModelOutputException(
          "the model returned an array that is closed already at %s; attach it to the manager of"
                  .formatted(at.get())
              + " the tokens");
    }
    if (!result.getShape().equals(input.getShape())
        || result.getDataType() != DataType.FLOAT32
        || !result.getDevice().equals(input.getDevice())) {
      throw new ModelOutputException(
          ("the model must return velocities of the shape, type and device of the tokens it is"
                  + " given, %s FLOAT32 on %s, but returned %s %s on %s at %s")
              .formatted(
                  input.getShape(),
                  input.getDevice(),
                  result.getShape(),
                  result.getDataType().name(),
                  result.getDevice(),
                  at.get()));
    }
    // one number tells: a sum is finite only if every summand is; if it overflows, the count tells
    try (NDArray sum = result.sum()) {
      if (Float.isFinite(sum.getFloat())) {
        return;
      }
    }
    int nans = 0;
    int infinites = 0;
    for (float value : result.toFloatArray()) {
      nans += Float.isNaN(value) ? 1 : 0;
      infinites += Float.isInfinite(value) ? 1 : 0;
    }
    if (nans + infinites > 0) {
      int before = notFinite(input);
      throw new ModelOutputException(
          "the model returned %d NaN and %d infinite of %d velocities at %s"
                  .formatted(nans, infinites, result.getShape().size(), at.get())
              + (before == 0
                  ? ""
                  : "; the tokens it was given already had %d; check noise, known latents and mask"
                      .formatted(before)));
    }
  }

  private static int notFinite(NDArray array) {
    int count = 0;
    for (float value : array.toFloatArray()) {
      count += Float.isFinite(value) ? 0 : 1;
    }
    return count;
  }
}
