package io.jitflow.flux.network;

import io.jitflow.flux.safetensors.DType;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.torchscript.TensorSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;

/** A small tensor on the heap. */
public final class HeapTensor implements TensorSource {
  private final DType dtype;
  private final long[] shape;
  private final byte[] bytes;

  private HeapTensor(DType dtype, long[] shape, byte[] bytes) {
    this.dtype = dtype;
    this.shape = shape.clone();
    this.bytes = bytes;
  }

  /** A FLOAT32 tensor. */
  public static HeapTensor of(float[] values, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    return new HeapTensor(DType.F32, shape, bytes.array());
  }

  /** A tensor of a checkpoint, widened or rounded to a type. */
  public static HeapTensor read(TensorFiles files, String name, DType target) throws IOException {
    TensorInfo info = files.info(name);
    ByteArrayOutputStream raw = new ByteArrayOutputStream();
    files.writeTo(name, Channels.newChannel(raw));
    ByteBuffer in = ByteBuffer.wrap(raw.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    int count = Math.toIntExact(info.elementCount());
    ByteBuffer out = ByteBuffer.allocate(count * target.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      float value =
          switch (info.dtype()) {
            case F32 -> in.getFloat();
            case BF16 -> Float.intBitsToFloat(in.getShort() << 16);
            case F16 -> half(in.getShort());
            default -> throw new IOException(name + " is " + info.dtype());
          };
      if (target == DType.F32) {
        out.putFloat(value);
      } else if (target == DType.BF16) {
        int bits = Float.floatToRawIntBits(value);
        out.putShort((short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16));
      } else {
        throw new IOException("no conversion to " + target);
      }
    }
    long[] shape = info.shape().stream().mapToLong(Long::longValue).toArray();
    return new HeapTensor(target, shape, out.array());
  }

  private static float half(short bits) {
    int exponent = (bits >> 10) & 0x1f;
    int fraction = bits & 0x3ff;
    double magnitude =
        exponent == 0 ? fraction * 0x1p-24 : (1 + fraction / 1024.0) * Math.pow(2, exponent - 15);
    return (float) (bits < 0 ? -magnitude : magnitude);
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public long[] shape() {
    return shape.clone();
  }

  @Override
  public void writeTo(WritableByteChannel channel) throws IOException {
    channel.write(ByteBuffer.wrap(bytes));
  }
}
