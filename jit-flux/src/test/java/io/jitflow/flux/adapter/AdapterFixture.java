package io.jitflow.flux.adapter;

import io.jitflow.flux.naming.TensorExpression;
import io.jitflow.flux.naming.TransformerNames;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Random adapters in every naming, of F32 factors, and the changes that they stand for. */
public final class AdapterFixture {
  /** How a file names its tensors. */
  public enum Naming {
    KOHYA,
    DIFFUSERS,
    OLD_DIFFUSERS,
    BFL,
    COMFY
  }

  @SuppressWarnings("ArrayRecordComponent") // test data, never compared
  private record Layer(float[] up, float[] down, int rows, int columns, int rank, float alpha) {}

  private final Map<String, Layer> layers = new LinkedHashMap<>();
  private final Random random;

  public AdapterFixture(long seed) {
    random = new Random(seed);
  }

  /** Adds a layer of the original release's name; alpha is its rank if 0. */
  public AdapterFixture layer(String module, int rows, int columns, int rank, double alpha) {
    layers.put(
        module,
        new Layer(
            gaussian(rows * rank),
            gaussian(rank * columns),
            rows,
            columns,
            rank,
            (float) (alpha == 0 ? rank : alpha)));
    return this;
  }

  private float[] gaussian(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** {@code alpha / rank * up * down} of a layer, in double precision. */
  public double[] change(String module) {
    Layer layer = layers.get(module);
    double[] change = new double[layer.rows * layer.columns];
    for (int i = 0; i < layer.rows; i++) {
      for (int j = 0; j < layer.columns; j++) {
        double sum = 0;
        for (int r = 0; r < layer.rank; r++) {
          sum += (double) layer.up[i * layer.rank + r] * layer.down[r * layer.columns + j];
        }
        change[i * layer.columns + j] = sum * layer.alpha / layer.rank;
      }
    }
    return change;
  }

  /** Writes the adapter. */
  public Path write(Path file, Naming naming) throws IOException {
    Map<String, int[]> shapes = new LinkedHashMap<>();
    Map<String, float[]> values = new LinkedHashMap<>();
    layers.forEach(
        (module, layer) -> {
          switch (naming) {
            case KOHYA ->
                put(
                    shapes,
                    values,
                    "lora_unet_" + module.replace('.', '_'),
                    ".lora_up.weight",
                    ".lora_down.weight",
                    layer);
            case BFL -> put(shapes, values, module, ".lora_B.weight", ".lora_A.weight", layer);
            case COMFY ->
                put(
                    shapes,
                    values,
                    "diffusion_model." + module,
                    ".lora_B.weight",
                    ".lora_A.weight",
                    layer);
            case DIFFUSERS -> split(shapes, values, module, ".lora_B.weight", ".lora_A.weight");
            case OLD_DIFFUSERS ->
                split(shapes, values, module, ".lora.up.weight", ".lora.down.weight");
          }
        });
    return write(file, shapes, values, Map.of());
  }

  private void split(
      Map<String, int[]> shapes,
      Map<String, float[]> values,
      String module,
      String up,
      String down) {
    Layer layer = layers.get(module);
    TensorExpression made = TransformerNames.DIFFUSERS.source().apply(module + ".weight");
    int row = 0;
    int parts = made.inputs().size();
    for (int i = 0; i < parts; i++) {
      int rows = i == parts - 1 ? layer.rows - row : layer.columns;
      float[] part = Arrays.copyOfRange(layer.up, row * layer.rank, (row + rows) * layer.rank);
      if (made instanceof TensorExpression.HalvesSwapped) {
        float[] swapped = part.clone();
        System.arraycopy(part, part.length / 2, swapped, 0, part.length / 2);
        System.arraycopy(part, 0, swapped, part.length / 2, part.length / 2);
        part = swapped;
      }
      String name = made.inputs().get(i);
      put(
          shapes,
          values,
          "transformer." + name.substring(0, name.length() - ".weight".length()),
          up,
          down,
          new Layer(part, layer.down, rows, layer.columns, layer.rank, layer.alpha));
      row += rows;
    }
  }

  private static void put(
      Map<String, int[]> shapes,
      Map<String, float[]> values,
      String name,
      String up,
      String down,
      Layer layer) {
    shapes.put(name + up, new int[] {layer.rows, layer.rank});
    values.put(name + up, layer.up);
    shapes.put(name + down, new int[] {layer.rank, layer.columns});
    values.put(name + down, layer.down);
    if (layer.alpha != layer.rank) {
      shapes.put(name + ".alpha", new int[0]);
      values.put(name + ".alpha", new float[] {layer.alpha});
    }
  }

  /** Writes any F32 tensors. */
  public static Path write(
      Path file, Map<String, int[]> shapes, Map<String, float[]> values, Map<String, String> about)
      throws IOException {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    StringBuilder header = new StringBuilder("{");
    if (!about.isEmpty()) {
      header.append("\"__metadata__\":{");
      about.forEach(
          (key, value) ->
              header
                  .append(header.charAt(header.length() - 1) == '{' ? "" : ",")
                  .append("\"%s\":\"%s\"".formatted(key, value)));
      header.append("},");
    }
    shapes.forEach(
        (name, shape) -> {
          float[] array = values.get(name);
          ByteBuffer bytes =
              ByteBuffer.allocate(array.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(array);
          header.append(
              "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%s,%s]},"
                  .formatted(
                      name, Arrays.toString(shape), data.size(), data.size() + bytes.capacity()));
          data.writeBytes(bytes.array());
        });
    header.setCharAt(header.length() - 1, '}');
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer all =
        ByteBuffer.allocate(8 + json.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(json.length).put(json).put(data.toByteArray());
    return Files.write(file, all.array());
  }
}
