package io.jitflow.flux.torchscript;

import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/**
 * A tensor of some type and shape that takes the room of one element: all its elements are the same
 * zero. For modules whose weights come after loading.
 */
public final class PlaceholderTensor implements TensorSource {
  private final DType dtype;
  private final long[] shape;

  /**
   * Describes the tensor.
   *
   * @param dtype its type
   * @param shape its shape
   */
  public PlaceholderTensor(DType dtype, long... shape) {
    this.dtype = dtype;
    this.shape = shape.clone();
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
  public long byteCount() {
    return dtype.byteSize();
  }

  @Override
  public void writeTo(WritableByteChannel channel) throws IOException {
    channel.write(ByteBuffer.allocate(dtype.byteSize()));
  }
}
