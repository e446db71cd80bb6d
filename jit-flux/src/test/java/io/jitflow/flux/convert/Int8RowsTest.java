package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.network.HeapTensor;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Int8RowsTest {
  private static byte[] bytes(TensorSource source) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    source.writeTo(Channels.newChannel(out));
    return out.toByteArray();
  }

  private static float[] floats(byte[] bytes) {
    float[] values = new float[bytes.length / Float.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static float[] random(int count) {
    Random random = new Random(1);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * Math.exp(3 * random.nextGaussian()));
    }
    return values;
  }

  @Test
  void integers_timesScales_areWithinHalfAStepOfTheMatrix() throws IOException {
    int rows = 50;
    int columns = 7001; // rows end inside the pieces in which the matrix comes
    float[] values = random(rows * columns);
    Int8Rows int8 = new Int8Rows("m", inPieces(HeapTensor.of(DType.F32, values, rows, columns)));
    byte[] integers = bytes(int8.integers());
    float[] scales = floats(bytes(int8.scales()));
    assertThat(integers).hasSize(rows * columns);
    assertThat(scales).hasSize(rows);
    for (int row = 0; row < rows; row++) {
      int largest = 0;
      for (int column = 0; column < columns; column++) {
        int i = row * columns + column;
        largest = Math.max(largest, Math.abs(integers[i]));
        assertThat(Math.abs(integers[i] * (double) scales[row] - values[i]))
            .isLessThanOrEqualTo(0.5001 * scales[row]);
      }
      assertThat(largest).isEqualTo(127);
    }
  }

  /** The same tensor, whose bytes come in pieces that end within numbers. */
  private static TensorSource inPieces(TensorSource source) {
    return TensorSource.of(
        source.dtype(),
        source.shape(),
        channel -> {
          ByteBuffer all = ByteBuffer.wrap(bytes(source));
          while (all.hasRemaining()) {
            ByteBuffer piece = all.slice();
            piece.limit(Math.min(9999, piece.remaining()));
            all.position(all.position() + piece.remaining());
            channel.write(piece);
          }
        });
  }

  @Test
  void scales_askedForFirst_areTheSame() throws IOException {
    TensorSource matrix = HeapTensor.of(DType.F32, random(60), 6, 10);
    Int8Rows first = new Int8Rows("m", matrix);
    Int8Rows second = new Int8Rows("m", matrix);
    byte[] scales = bytes(first.scales());
    byte[] integers = bytes(second.integers());
    assertThat(bytes(first.integers())).isEqualTo(integers);
    assertThat(bytes(second.scales())).isEqualTo(scales);
  }

  @Test
  void integers_ofARowOfZeros_areZeroWithAFiniteScale() throws IOException {
    Int8Rows int8 = new Int8Rows("m", HeapTensor.of(DType.F32, new float[] {0, 0, 3, -1.6f}, 2, 2));
    assertThat(bytes(int8.integers())).containsExactly(0, 0, 127, -68);
    float[] scales = floats(bytes(int8.scales()));
    assertThat(scales[0]).isPositive().isLessThan(1e-30f);
    assertThat(scales[1]).isEqualTo(3 / 127f);
  }

  @Test
  void integers_ofInfinity_nameTensorAndRow() {
    float[] values = {0, 0, Float.POSITIVE_INFINITY, 1};
    Int8Rows int8 = new Int8Rows("a.weight", HeapTensor.of(DType.F32, values, 2, 2));
    assertThatThrownBy(() -> bytes(int8.integers()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("tensor a.weight: row 1 holds Infinity")
        .hasMessageContaining("BF16 or F32");
  }
}
