package io.jitflow.flux.torchscript;

import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/**
 * A tensor that can be written out without being held in memory.
 *
 * <p>The archive writer asks for type and shape first and for the bytes once, later.
 */
public interface TensorSource {
  /** Writes the elements of a tensor, as {@link TensorSource#writeTo} does. */
  @FunctionalInterface
  interface Elements {
    /**
     * Writes the elements in row-major order, little-endian, without gaps.
     *
     * @param channel where to write; it takes every byte offered and stays open
     * @throws IOException if the source cannot be read or the channel cannot be written
     */
    void writeTo(WritableByteChannel channel) throws IOException;
  }

  /**
   * A tensor of known type and shape.
   *
   * @param dtype the element type
   * @param shape the dimensions, outermost first
   * @param elements writes the elements
   * @return the tensor
   */
  static TensorSource of(DType dtype, long[] shape, Elements elements) {
    long[] dimensions = shape.clone();
    return new TensorSource() {
      @Override
      public DType dtype() {
        return dtype;
      }

      @Override
      public long[] shape() {
        return dimensions.clone();
      }

      @Override
      public void writeTo(WritableByteChannel channel) throws IOException {
        elements.writeTo(channel);
      }
    };
  }

  /**
   * The element type.
   *
   * @return the type of the bytes that {@link #writeTo} delivers
   */
  DType dtype();

  /**
   * The shape.
   *
   * @return the dimensions, outermost first; empty for a scalar
   */
  long[] shape();

  /**
   * Writes the elements in row-major order, little-endian, without gaps.
   *
   * @throws IOException if the source cannot be read or the channel cannot be written
   */
  void writeTo(WritableByteChannel channel) throws IOException;

  /**
   * The size of the tensor.
   *
   * @return the number of bytes that {@link #writeTo} delivers
   * @throws ArithmeticException if the shape's size exceeds a long
   */
  default long byteCount() {
    long bytes = dtype().byteSize();
    for (long dimension : shape()) {
      bytes = Math.multiplyExact(bytes, dimension);
    }
    return bytes;
  }
}
