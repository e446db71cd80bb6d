package io.jitflow.flux.convert;

import io.jitflow.flux.adapter.LoraProduct;
import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/**
 * A matrix with the changes of adapters: both are added in float32, row by row, and the sum is then
 * narrowed to the type that is wanted.
 */
final class MergedTensor implements TensorSource {
  /**
   * Reads the changes when they are needed, so that those of one tensor are in memory at a time.
   */
  interface Changes {
    List<LoraProduct> read() throws IOException;
  }

  private final String name;
  private final TensorSource weights;
  private final Changes changes;
  private final DType dtype;

  /**
   * Adds changes to a matrix.
   *
   * @param name for messages
   * @param weights the matrix, F32
   * @param changes what is added
   * @param dtype the type to deliver
   */
  MergedTensor(String name, TensorSource weights, Changes changes, DType dtype) {
    this.name = name;
    this.weights = weights;
    this.changes = changes;
    this.dtype = dtype;
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public long[] shape() {
    return weights.shape();
  }

  @Override
  public void writeTo(WritableByteChannel channel) throws IOException {
    weights.writeTo(new Rows(channel, changes.read()));
  }

  /** Takes the bytes of the matrix and passes each row on as soon as it is complete. */
  private final class Rows implements WritableByteChannel {
    private final WritableByteChannel target;
    private final List<LoraProduct> products;
    private final float[] row;
    private final float[] scratch;
    private final ByteBuffer bytes;
    private final FloatConversion conversion = new FloatConversion(DType.F32, dtype);
    private long index;

    Rows(WritableByteChannel target, List<LoraProduct> products) {
      this.target = target;
      this.products = products;
      int columns = (int) weights.shape()[1];
      this.row = new float[columns];
      this.scratch = new float[columns];
      this.bytes = ByteBuffer.allocate(columns * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      int taken = source.remaining();
      while (source.hasRemaining()) {
        ByteBuffer part =
            source.slice(source.position(), Math.min(source.remaining(), bytes.remaining()));
        source.position(source.position() + part.remaining());
        bytes.put(part);
        if (!bytes.hasRemaining()) {
          finishRow();
        }
      }
      return taken;
    }

    private void finishRow() throws IOException {
      bytes.flip();
      bytes.asFloatBuffer().get(row);
      for (LoraProduct product : products) {
        product.addTo(index, row, 0, scratch);
      }
      bytes.asFloatBuffer().put(row);
      ByteBuffer narrow = ByteBuffer.allocate(row.length * dtype.byteSize());
      for (int at = 0; at < row.length; at += FloatConversion.CHUNK) {
        int count = Math.min(FloatConversion.CHUNK, row.length - at);
        int misfit = conversion.convert(bytes.slice(at * Float.BYTES, count * Float.BYTES), narrow);
        if (misfit >= 0) {
          throw new CheckpointException(
              "tensor %s: element %d of row %d is %s after the adapters, beyond the largest %s %s; use smaller scales or a type with a larger range (BF16 or F32)"
                  .formatted(
                      name,
                      at + misfit,
                      index,
                      conversion.value(misfit),
                      dtype,
                      FloatConversion.largest(dtype)));
        }
      }
      narrow.flip();
      while (narrow.hasRemaining()) {
        target.write(narrow);
      }
      bytes.clear();
      index++;
    }

    @Override
    public boolean isOpen() {
      return target.isOpen();
    }

    @Override
    public void close() {
      // the target stays open, as TensorSource says
    }
  }
}
