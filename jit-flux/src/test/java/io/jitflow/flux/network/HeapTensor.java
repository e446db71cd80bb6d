package io.jitflow.flux.network;

import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Small tensors on the heap. */
public final class HeapTensor {
  private HeapTensor() {}

  /** Values as F32, F16 or BF16 (cut off). */
  public static TensorSource of(DType dtype, float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * dtype.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (dtype) {
        case F32 -> bytes.putFloat(value);
        case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
        case F16 -> bytes.putShort(half(value));
        default -> throw new IllegalArgumentException("no conversion to " + dtype);
      }
    }
    return TensorSource.of(dtype, shape, channel -> channel.write(ByteBuffer.wrap(bytes.array())));
  }

  /** A normal FLOAT16 number or zero, cut off. */
  private static short half(float value) {
    int bits = Float.floatToRawIntBits(value);
    int exponent = Math.getExponent(value) + 15;
    if (exponent <= 0) {
      return 0;
    }
    return (short) ((bits >>> 16 & 0x8000) | exponent << 10 | (bits >>> 13 & 0x3ff));
  }
}
