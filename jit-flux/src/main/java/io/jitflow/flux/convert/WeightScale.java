package io.jitflow.flux.convert;

import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What the numbers of a published 8-bit matrix are multiplied by: one factor for all, or one for
 * each row.
 *
 * <p>Beside {@code NAME.weight} lies {@code NAME.weight_scale} (ComfyUI, compressed-tensors),
 * {@code NAME.scale_weight} (earlier ComfyUI), or {@code NAME.SCB}, the largest magnitude of each
 * row (bitsandbytes, whose integers end at 127). Floating-point numbers without a scale are meant
 * as they are.
 *
 * @param tensor the tensor with the factors
 * @param divisor what they are divided by
 */
record WeightScale(String tensor, float divisor) {
  private static final String WEIGHT = ".weight";
  private static final Map<String, Float> SUFFIXES =
      Map.of(".weight_scale", 1f, ".scale_weight", 1f, ".SCB", 127f);

  /** What lies beside a weight for those who quantise activations, or as a mark. */
  private static final List<String> UNUSED =
      List.of(".input_scale", ".scale_input", ".weight_format");

  private static final String COMFY_FORMAT = ".comfy_quant";
  private static final Set<String> COMFY_FORMATS = Set.of("float8_e4m3fn", "float8_e5m2");
  private static final int MAX_FORMAT_BYTES = 4096;

  /** Marks a file as a whole. */
  private static final String COMFY_MARK = "scaled_fp8";

  /** Whether a tensor is no weight but marks its file, which may have a prefix before all names. */
  static boolean isMark(String tensor) {
    return tensor.equals(COMFY_MARK) || tensor.endsWith("." + COMFY_MARK);
  }

  /** The scale of a tensor, if it is an 8-bit matrix that has one. */
  static Optional<WeightScale> of(Map<String, TensorInfo> tensors, TensorInfo weight) {
    if (!FloatConversion.isByte(weight.dtype()) || !weight.name().endsWith(WEIGHT)) {
      return Optional.empty();
    }
    String name = module(weight);
    return SUFFIXES.entrySet().stream()
        .filter(suffix -> tensors.containsKey(name + suffix.getKey()))
        .map(suffix -> new WeightScale(name + suffix.getKey(), suffix.getValue()))
        .findFirst();
  }

  /** The tensors beside an 8-bit matrix that reading it uses, or may leave alone. */
  static List<String> companions(TensorFiles files, TensorInfo weight) throws IOException {
    List<String> companions = new ArrayList<>();
    Optional<WeightScale> scale = of(files.tensors(), weight);
    if (scale.isPresent()) {
      companions.add(scale.get().tensor);
      UNUSED.forEach(suffix -> companions.add(module(weight) + suffix));
      String format = module(weight) + COMFY_FORMAT;
      if (files.tensors().containsKey(format) && isPlain(files, format)) {
        companions.add(format);
      }
    }
    return companions;
  }

  private static String module(TensorInfo weight) {
    return weight.name().substring(0, weight.name().length() - WEIGHT.length());
  }

  /** Whether a description of a format is that of scaled numbers, not of rotated ones or blocks. */
  private static boolean isPlain(TensorFiles files, String tensor) throws IOException {
    TensorInfo info = files.info(tensor);
    if (info.byteSize() == 0 || info.byteSize() > MAX_FORMAT_BYTES) {
      return false;
    }
    String text =
        StandardCharsets.UTF_8.decode(files.slice(tensor, 0, (int) info.byteSize())).toString();
    return COMFY_FORMATS.stream().anyMatch(format -> text.contains("\"" + format + "\""));
  }

  /**
   * What is wrong with the scale of a matrix.
   *
   * @return a description; empty if it can be read
   */
  static Optional<String> problem(Map<String, TensorInfo> tensors, TensorInfo weight) {
    Optional<WeightScale> scale = of(tensors, weight);
    if (scale.isEmpty()) {
      return weight.dtype() == DType.I8
          ? Optional.of(
              TensorInfo.quote(weight.name())
                  + " is I8 without a scale: expected .weight_scale, .scale_weight or .SCB beside"
                  + " it")
          : Optional.empty();
    }
    TensorInfo info = Objects.requireNonNull(tensors.get(scale.get().tensor));
    boolean one = info.elementCount() == 1;
    boolean rows =
        !weight.shape().isEmpty()
            && info.elementCount() == weight.shape().get(0)
            && (info.shape().size() == 1
                || (info.shape().size() == 2 && info.shape().get(1).equals(1L)));
    return FloatConversion.supports(info.dtype()) && (one || rows)
        ? Optional.empty()
        : Optional.of(
            "%s %s %s expected one number, or one for each row of %s %s, in F32, F16 or BF16"
                .formatted(
                    TensorInfo.quote(info.name()),
                    info.dtype(),
                    info.shape(),
                    TensorInfo.quote(weight.name()),
                    weight.shape()));
  }

  /** Reads the factors: one, or one for each row. */
  float[] read(TensorFiles files) throws IOException {
    TensorInfo info = files.info(tensor);
    float[] factors = new float[Math.toIntExact(info.elementCount())];
    FloatConversion conversion = new FloatConversion(info.dtype(), DType.F32);
    ByteBuffer wide =
        ByteBuffer.allocate(FloatConversion.CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    int width = info.dtype().byteSize();
    for (int at = 0; at < factors.length; at += FloatConversion.CHUNK) {
      int count = Math.min(FloatConversion.CHUNK, factors.length - at);
      wide.clear();
      conversion.convert(files.slice(tensor, (long) at * width, count * width), wide);
      wide.flip().asFloatBuffer().get(factors, at, count);
    }
    for (int i = 0; i < factors.length; i++) {
      factors[i] /= divisor;
      if (!Float.isFinite(factors[i])) {
        throw new CheckpointException(
            "%s: tensor %s: expected finite scales, found %s as number %d; download the file again"
                .formatted(files.fileOf(tensor).path(), TensorInfo.quote(tensor), factors[i], i));
      }
    }
    return factors;
  }
}
