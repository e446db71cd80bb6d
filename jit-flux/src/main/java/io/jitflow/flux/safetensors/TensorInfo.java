package io.jitflow.flux.safetensors;

import io.jitflow.flux.json.Quoted;
import io.jitflow.flux.weights.DType;
import java.util.List;

/**
 * What a header says about one tensor. Row-major, little-endian.
 *
 * @param name name, as in the header
 * @param dtype element type
 * @param shape sizes of the dimensions, none negative; empty for a scalar
 * @param begin offset of the first byte, counted from the start of the file
 * @param end offset after the last byte, counted from the start of the file
 */
public record TensorInfo(String name, DType dtype, List<Long> shape, long begin, long end) {

  /** Makes the shape immutable. */
  public TensorInfo {
    shape = List.copyOf(shape);
  }

  /**
   * Returns the size of the data.
   *
   * @return bytes
   */
  public long byteSize() {
    return end - begin;
  }

  /**
   * Returns the number of elements.
   *
   * @return the product of the shape, 1 for a scalar
   */
  public long elementCount() {
    return byteSize() / dtype.byteSize();
  }

  /**
   * Quotes a name from a file for a message: control characters are escaped, long names shortened.
   *
   * @param name a name as found in a file
   * @return the name in single quotes, safe to print
   */
  public static String quote(String name) {
    return Quoted.of(name);
  }
}
