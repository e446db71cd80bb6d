package io.jitflow.flux.convert;

import io.jitflow.core.check.Checks;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;

/**
 * A matrix as 8-bit integers with a scale for each row: the largest magnitude of the row becomes
 * 127, the others round to the nearest multiple of a 127th of it. Reads the matrix while it is
 * written, row by row; the scales, which are written after it, are kept.
 */
final class Int8Rows {
  private static final float LARGEST = 127;
  private static final int BUFFER_BYTES = 1 << 20;

  private final String name;
  private final TensorSource matrix;
  private final int rows;
  private final int columns;
  private float @Nullable [] scales;

  /**
   * Wraps a matrix.
   *
   * @param name for messages
   * @param matrix F32, two dimensions
   */
  Int8Rows(String name, TensorSource matrix) {
    this.name = name;
    Checks.argument(
        matrix.dtype() == DType.F32 && matrix.shape().length == 2,
        "expected an F32 matrix, got %s",
        matrix.dtype());
    this.matrix = matrix;
    this.rows = Math.toIntExact(matrix.shape()[0]);
    this.columns = Math.toIntExact(matrix.shape()[1]);
  }

  /** The integers, I8 of the shape of the matrix. */
  TensorSource integers() {
    return TensorSource.of(
        DType.I8, new long[] {rows, columns}, channel -> scales = quantise(channel));
  }

  /** The scales, F32, one for each row. */
  TensorSource scales() {
    return TensorSource.of(
        DType.F32,
        new long[] {rows},
        channel -> {
          float[] values = scales == null ? quantise(new Nowhere()) : scales;
          ByteBuffer bytes = ByteBuffer.allocate(rows * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(values);
          writeAll(bytes, channel);
        });
  }

  private float[] quantise(WritableByteChannel channel) throws IOException {
    try (Rows quantised = new Rows(channel)) {
      matrix.writeTo(quantised);
      return quantised.finish();
    }
  }

  private static void writeAll(ByteBuffer bytes, WritableByteChannel channel) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Takes the matrix in pieces of any size and passes on whole rows of integers. */
  private final class Rows implements WritableByteChannel {
    private final WritableByteChannel channel;
    private final float[] row = new float[columns];
    private final byte[] integers = new byte[columns];
    private final float[] found = new float[rows];
    private final ByteBuffer piece =
        ByteBuffer.allocate(Math.max(BUFFER_BYTES, columns * Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    private int done;

    Rows(WritableByteChannel channel) {
      this.channel = channel;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      int count = source.remaining();
      while (source.hasRemaining()) {
        int length = Math.min(source.remaining(), piece.remaining());
        ByteBuffer part = source.slice();
        part.limit(length);
        piece.put(part);
        source.position(source.position() + length);
        if (!piece.hasRemaining()) {
          drain();
        }
      }
      return count;
    }

    private void drain() throws IOException {
      piece.flip();
      while (piece.remaining() >= columns * Float.BYTES) {
        piece.asFloatBuffer().get(row);
        piece.position(piece.position() + columns * Float.BYTES);
        found[done] = quantiseRow();
        done++;
        writeAll(ByteBuffer.wrap(integers), channel);
      }
      piece.compact();
    }

    private float quantiseRow() throws IOException {
      float largest = 0;
      for (float value : row) {
        largest = Math.max(largest, Math.abs(value));
      }
      if (!Float.isFinite(largest)) {
        throw new CheckpointException(
            "tensor "
                + name
                + ": row "
                + done
                + " holds "
                + largest
                + ", which 8 bits cannot express; convert to BF16 or F32, or download the file"
                + " again");
      }
      // the smallest normal number keeps the reciprocal finite
      float scale = Math.max(largest / LARGEST, Float.MIN_NORMAL);
      float reciprocal = 1 / scale;
      for (int i = 0; i < columns; i++) {
        integers[i] = (byte) Math.max(-127, Math.min(127, Math.round(row[i] * reciprocal)));
      }
      return scale;
    }

    float[] finish() throws IOException {
      drain();
      if (done != rows || piece.position() > 0) {
        throw new IOException("expected " + rows + " rows of " + columns + " values, got " + done);
      }
      return found;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  private static final class Nowhere implements WritableByteChannel {
    @Override
    public int write(ByteBuffer source) {
      int count = source.remaining();
      source.position(source.limit());
      return count;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }
}
