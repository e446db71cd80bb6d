package io.jitflow.flux.adapter;

import io.jitflow.flux.adapter.LayerNames.Target;
import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.safetensors.SafetensorsFile;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One layer of an adapter: two factors in a file and the rows of a matrix that their product is
 * added to.
 *
 * @param file where the factors are
 * @param target what they change
 * @param up name of the factor {@code [rows, rank]}
 * @param down name of the factor {@code [rank, columns]}
 * @param rank the inner size
 * @param factor what the product is multiplied with
 */
record LoraLayer(
    SafetensorsFile file, Target target, String up, String down, int rank, double factor) {

  /** The change of a whole matrix, as two factors in memory. */
  LoraProduct product() throws IOException {
    float[] rows = floats(up);
    for (int i = 0; i < rows.length; i++) {
      rows[i] = (float) (rows[i] * factor);
    }
    if (target.halvesSwapped()) {
      float[] swapped = new float[rows.length];
      int half = rows.length / 2;
      System.arraycopy(rows, half, swapped, 0, half);
      System.arraycopy(rows, 0, swapped, half, half);
      rows = swapped;
    }
    return new LoraProduct(
        target.firstRow(), (int) target.rows(), (int) target.columns(), rank, rows, floats(down));
  }

  private float[] floats(String name) throws IOException {
    TensorInfo info = file.info(name);
    int width = info.dtype().byteSize();
    float[] values = new float[Math.toIntExact(info.elementCount())];
    FloatConversion conversion = new FloatConversion(info.dtype(), DType.F32);
    ByteBuffer wide =
        ByteBuffer.allocate(FloatConversion.CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < values.length; ) {
      int count = Math.min(FloatConversion.CHUNK, values.length - at);
      wide.clear();
      conversion.convert(file.slice(name, (long) at * width, count * width), wide);
      wide.flip().asFloatBuffer().get(values, at, count);
      at += count;
    }
    return values;
  }
}
