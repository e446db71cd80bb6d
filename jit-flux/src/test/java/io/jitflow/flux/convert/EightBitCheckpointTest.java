package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints whose matrices were published with 8 bits. */
class EightBitCheckpointTest {
  private static final Path ORIGINAL =
      TinyCheckpoint.parity("flux-tiny-transformer/dev/bfl.safetensors");

  @TempDir Path folder;

  /** A tensor as it goes into a file. */
  private static final class Raw {
    private final String dtype;
    private final List<Long> shape;
    private final byte[] data;

    Raw(String dtype, List<Long> shape, byte[] data) {
      this.dtype = dtype;
      this.shape = shape;
      this.data = data;
    }
  }

  private static float[] floats(TensorSource source) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    source.writeTo(Channels.newChannel(out));
    float[] values = new float[out.size() / Float.BYTES];
    ByteBuffer.wrap(out.toByteArray()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static byte[] bytes(float... values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return bytes.array();
  }

  private static float[] everyByte(DType dtype) {
    ByteBuffer all = ByteBuffer.allocate(256);
    for (int i = 0; i < 256; i++) {
      all.put((byte) i);
    }
    ByteBuffer wide = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    new FloatConversion(dtype, DType.F32).convert(all.flip(), wide);
    float[] values = new float[256];
    wide.flip().asFloatBuffer().get(values);
    return values;
  }

  private static byte nearest(float[] table, float value) {
    int best = 0;
    for (int i = 0; i < 256; i++) {
      if (Math.abs(table[i] - value) < Math.abs(table[best] - value)) {
        best = i;
      }
    }
    return (byte) best;
  }

  private Path file(String name, Map<String, Raw> tensors) throws IOException {
    StringBuilder header = new StringBuilder("{");
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    for (Map.Entry<String, Raw> tensor : tensors.entrySet()) {
      int begin = data.size();
      data.writeBytes(tensor.getValue().data);
      header
          .append(header.length() > 1 ? "," : "")
          .append(
              "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%s,%s]}"
                  .formatted(
                      tensor.getKey(),
                      tensor.getValue().dtype,
                      tensor.getValue().shape,
                      begin,
                      data.size()));
    }
    byte[] json = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer all =
        ByteBuffer.allocate(8 + json.length + data.size()).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(json.length).put(json).put(data.toByteArray());
    return Files.write(folder.resolve(name), all.array());
  }

  /**
   * The small transformer with its matrices in 8 bits; {@code values} takes what they stand for.
   */
  private Map<String, Raw> quantised(
      DType dtype, String suffix, boolean rows, Map<String, float[]> values) throws IOException {
    Map<String, Raw> tensors = new LinkedHashMap<>();
    float[] table = everyByte(dtype);
    float largest = dtype == DType.I8 ? 127 : 448;
    try (TensorFiles files = TensorFiles.open(ORIGINAL)) {
      NetworkPlan plan =
          ArchitectureReader.transformer(files, Optional.empty(), Optional.of(List.of(4, 6, 6)));
      for (TensorInfo info : files.tensors().values()) {
        float[] weights = floats(plan.mapping().source(info.name(), DType.F32));
        if (info.shape().size() != 2 || suffix.isEmpty()) {
          boolean narrow = suffix.isEmpty() && info.shape().size() == 2;
          byte[] data = bytes(weights);
          if (narrow) {
            data = new byte[weights.length];
            for (int i = 0; i < weights.length; i++) {
              data[i] = nearest(table, weights[i]);
              weights[i] = table[data[i] & 0xff];
            }
          }
          tensors.put(info.name(), new Raw(narrow ? dtype.name() : "F32", info.shape(), data));
          values.put(info.name(), weights);
          continue;
        }
        int count = rows ? info.shape().get(0).intValue() : 1;
        int columns = weights.length / count;
        float[] scales = new float[count];
        byte[] data = new byte[weights.length];
        for (int row = 0; row < count; row++) {
          for (int i = row * columns; i < (row + 1) * columns; i++) {
            scales[row] = Math.max(scales[row], Math.abs(weights[i]) / largest);
          }
          for (int i = row * columns; i < (row + 1) * columns; i++) {
            data[i] = nearest(table, weights[i] / scales[row]);
            weights[i] = table[data[i] & 0xff] * scales[row];
          }
        }
        String module = info.name().substring(0, info.name().length() - ".weight".length());
        tensors.put(info.name(), new Raw(dtype.name(), info.shape(), data));
        List<Long> shape =
            !rows
                ? List.of()
                : suffix.equals(".SCB") ? List.of((long) count) : List.of((long) count, 1L);
        float[] stored = scales.clone();
        if (suffix.equals(".SCB")) {
          for (int i = 0; i < count; i++) {
            stored[i] *= 127;
          }
        }
        tensors.put(module + suffix, new Raw("F32", shape, bytes(stored)));
        values.put(info.name(), weights);
      }
    }
    return tensors;
  }

  private NetworkPlan plan(TensorFiles files) throws IOException {
    return ArchitectureReader.transformer(files, Optional.empty(), Optional.of(List.of(4, 6, 6)));
  }

  @ParameterizedTest
  @CsvSource({
    "F8_E4M3, .weight_scale, false",
    "F8_E4M3, .weight_scale, true",
    "F8_E4M3, .scale_weight, false",
    "I8, .weight_scale, true",
    "I8, .SCB, true",
    "F8_E4M3, '', false",
    "F8_E5M2, '', false"
  })
  void source_ofAn8BitMatrix_isItsNumbersTimesItsScales(DType dtype, String suffix, boolean rows)
      throws IOException {
    Map<String, float[]> expected = new LinkedHashMap<>();
    Map<String, Raw> tensors = quantised(dtype, suffix, rows, expected);
    if (suffix.equals(".scale_weight")) {
      tensors.put("scaled_fp8", new Raw("F8_E4M3", List.of(2L), new byte[2]));
      tensors.put("img_in.scale_input", new Raw("F32", List.of(), bytes(1)));
    }
    if (suffix.equals(".weight_scale") && dtype == DType.F8_E4M3) {
      byte[] json = "{\"format\": \"float8_e4m3fn\"}".getBytes(StandardCharsets.UTF_8);
      tensors.put("img_in.comfy_quant", new Raw("U8", List.of((long) json.length), json));
      tensors.put("img_in.input_scale", new Raw("F32", List.of(), bytes(1)));
    }
    try (TensorFiles files = TensorFiles.open(file("weights.safetensors", tensors))) {
      NetworkPlan plan = plan(files);
      for (String name : plan.mapping().expressions().keySet()) {
        float[] found = floats(plan.mapping().source(name, DType.F32));
        float[] wanted = expected.get(name);
        assertThat(found).as(name).hasSameSizeAs(wanted);
        for (int i = 0; i < found.length; i++) {
          // the largest magnitudes of SCB are divided by 127 again, which costs a rounding
          assertThat(found[i]).as(name).isCloseTo(wanted[i], within(wanted[i]));
        }
      }
    }
  }

  private static Offset<Float> within(float value) {
    return Offset.offset(2e-7f * Math.abs(value));
  }

  @Test
  void source_splitRows_takeTheScalesOfTheirOwnMatrix() throws IOException {
    Path diffusers = TinyCheckpoint.parity("flux-tiny-transformer/dev/transformer");
    ConfigFile config = ConfigFile.read(diffusers.resolve("config.json"));
    Map<String, Raw> tensors = new LinkedHashMap<>();
    String split = "transformer_blocks.0.attn.to_k";
    try (TensorFiles files = TensorFiles.open(diffusers)) {
      for (TensorInfo info : files.tensors().values()) {
        byte[] data = new byte[(int) info.byteSize()];
        files.slice(info.name(), 0, data.length).get(data);
        boolean narrow =
            info.name().equals(split + ".weight") || info.name().equals("norm_out.linear.weight");
        if (narrow) {
          byte[] ones = new byte[(int) info.elementCount()];
          Arrays.fill(ones, (byte) 2);
          float[] scales = new float[info.shape().get(0).intValue()];
          for (int row = 0; row < scales.length; row++) {
            scales[row] = row;
          }
          String module = info.name().replace(".weight", "");
          tensors.put(info.name(), new Raw("I8", info.shape(), ones));
          tensors.put(
              module + ".weight_scale",
              new Raw("F32", List.of((long) scales.length), bytes(scales)));
        } else {
          tensors.put(info.name(), new Raw(info.dtype().name(), info.shape(), data));
        }
      }
    }
    try (TensorFiles files = TensorFiles.open(file("split.safetensors", tensors))) {
      NetworkPlan plan =
          ArchitectureReader.transformer(files, Optional.of(config), Optional.empty());
      int hidden = config.integer("num_attention_heads") * config.integer("attention_head_dim");
      float[] fused =
          floats(plan.mapping().source("double_blocks.0.img_attn.qkv.weight", DType.F32));
      for (int i = 0; i < hidden * hidden; i++) {
        int row = i / hidden;
        assertThat(fused[hidden * hidden + i]).isEqualTo(2f * row);
      }
      // scale and shift change places
      float[] swapped =
          floats(plan.mapping().source("final_layer.adaLN_modulation.1.weight", DType.F32));
      for (int i = 0; i < swapped.length; i++) {
        assertThat(swapped[i]).isEqualTo(2f * ((i / hidden + hidden) % (2 * hidden)));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"blocks", "rotated", "zero_point", "scale"})
  void plan_ofAnotherFormat_isRefusedByName(String what) throws IOException {
    Map<String, Raw> tensors = quantised(DType.I8, ".weight_scale", true, new LinkedHashMap<>());
    String message =
        switch (what) {
          case "blocks" -> {
            tensors.put(
                "img_in.weight_scale", new Raw("F32", List.of(32L, 2L), bytes(new float[64])));
            yield "'img_in.weight_scale' F32 [32, 2] expected one number, or one for each row";
          }
          case "rotated" -> {
            byte[] json = "{\"format\": \"int8_rotated\"}".getBytes(StandardCharsets.UTF_8);
            tensors.put("img_in.comfy_quant", new Raw("U8", List.of((long) json.length), json));
            yield "left over (1): 'img_in.comfy_quant'";
          }
          case "zero_point" -> {
            tensors.put("img_in.weight_zero_point", new Raw("I8", List.of(1L), new byte[1]));
            yield "left over (1): 'img_in.weight_zero_point'";
          }
          default -> {
            tensors.remove("img_in.weight_scale");
            yield "'img_in.weight' is I8 without a scale";
          }
        };
    Path file = file("weights.safetensors", tensors);
    try (TensorFiles files = TensorFiles.open(file)) {
      assertThatThrownBy(() -> plan(files))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining(file.toString())
          .hasMessageContaining(message);
    }
  }

  @Test
  void source_scaleThatIsNotFinite_isRefusedWithItsPlace() throws IOException {
    Map<String, Raw> tensors = quantised(DType.I8, ".weight_scale", false, new LinkedHashMap<>());
    tensors.put("img_in.weight_scale", new Raw("F32", List.of(), bytes(Float.NaN)));
    try (TensorFiles files = TensorFiles.open(file("weights.safetensors", tensors))) {
      TensorSource source = plan(files).mapping().source("img_in.weight", DType.BF16);
      assertThatThrownBy(() -> source.writeTo(Channels.newChannel(new ByteArrayOutputStream())))
          .isInstanceOf(CheckpointException.class)
          .hasMessageContaining("tensor 'img_in.weight_scale': expected finite scales, found NaN");
    }
  }
}
