package io.jitflow.flux.adapter;

import io.jitflow.flux.adapter.LayerNames.Target;
import io.jitflow.flux.json.Quoted;
import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.safetensors.SafetensorsFile;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.LoraAdapter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** An adapter's file: which of its tensors change which matrices, checked from the header. */
final class LoraFile implements AutoCloseable {
  private static final int MAX_LISTED = 20;

  /** How the two factors and the scale of a layer are called behind the layer's name. */
  private static final Map<String, Part> SUFFIXES = suffixes();

  private enum Part {
    UP,
    DOWN,
    ALPHA
  }

  private final SafetensorsFile file;
  private final List<LoraLayer> layers;

  private LoraFile(SafetensorsFile file, List<LoraLayer> layers) {
    this.file = file;
    this.layers = List.copyOf(layers);
  }

  private static Map<String, Part> suffixes() {
    Map<String, Part> suffixes = new LinkedHashMap<>();
    for (String down :
        List.of(
            ".lora_A.default.weight",
            ".lora_A.weight",
            ".lora.down.weight",
            ".lora_linear_layer.down.weight",
            ".lora_down.weight",
            ".down.weight")) {
      suffixes.put(down, Part.DOWN);
      suffixes.put(down.replace("lora_A", "lora_B").replace("down", "up"), Part.UP);
    }
    suffixes.put(".alpha", Part.ALPHA);
    return suffixes;
  }

  static LoraFile open(LoraAdapter adapter, LayerNames names) throws IOException {
    SafetensorsFile file = SafetensorsFile.open(adapter.file());
    try {
      return new LoraFile(file, layers(file, adapter.scale(), names));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static List<LoraLayer> layers(SafetensorsFile file, double scale, LayerNames names)
      throws IOException {
    Map<String, Map<Part, String>> parts = new LinkedHashMap<>();
    List<String> unused = new ArrayList<>();
    for (String name : file.tensors().keySet()) {
      Optional<String> suffix = SUFFIXES.keySet().stream().filter(name::endsWith).findFirst();
      String layer = suffix.map(s -> name.substring(0, name.length() - s.length())).orElse("");
      if (suffix.isEmpty() || names.find(layer).isEmpty()) {
        unused.add(Quoted.of(name));
      } else {
        parts
            .computeIfAbsent(layer, key -> new LinkedHashMap<>())
            .put(SUFFIXES.get(suffix.get()), name);
      }
    }
    if (!unused.isEmpty() || parts.isEmpty()) {
      throw new AdapterException(
          file.path() + ": " + reason(file, parts.isEmpty()) + "; " + listed(unused));
    }
    Optional<PeftSettings> settings = PeftSettings.of(file, parts.keySet());
    List<String> wrong = new ArrayList<>();
    List<LoraLayer> layers = new ArrayList<>();
    for (Map.Entry<String, Map<Part, String>> entry : parts.entrySet()) {
      Target target = names.find(entry.getKey()).orElseThrow();
      Map<Part, String> tensors = entry.getValue();
      problem(file, tensors, target).ifPresent(p -> wrong.add(Quoted.of(entry.getKey()) + " " + p));
      if (wrong.isEmpty()) {
        String up = Objects.requireNonNull(tensors.get(Part.UP));
        String down = Objects.requireNonNull(tensors.get(Part.DOWN));
        int rank = Math.toIntExact(file.info(down).shape().get(0));
        double alpha = rank;
        if (tensors.containsKey(Part.ALPHA)) {
          alpha = number(file, Objects.requireNonNull(tensors.get(Part.ALPHA)));
        } else if (settings.isPresent()) {
          alpha = settings.get().alpha(entry.getKey(), rank);
        }
        layers.add(new LoraLayer(file, target, up, down, rank, scale * alpha / rank));
      }
    }
    if (!wrong.isEmpty()) {
      throw new AdapterException(
          file.path()
              + ": the adapter is for another model or damaged; "
              + listed("wrong layers", wrong)
              + "; use it with the model that it was trained for, or download it again");
    }
    return layers;
  }

  private static String reason(SafetensorsFile file, boolean nothingFits) {
    List<String> names = List.copyOf(file.tensors().keySet());
    if (names.stream().noneMatch(name -> name.contains("lora"))) {
      boolean other =
          names.stream()
              .anyMatch(n -> n.contains(".hada_") || n.contains(".lokr_") || n.contains(".oft_"));
      return other
          ? "expected a LoRA adapter, found a LyCORIS one of another kind (LoHa, LoKr or OFT),"
              + " which is not supported"
          : "expected a LoRA adapter (tensors such as *.lora_A.weight or *.lora_down.weight), found"
              + " none; check the path";
    }
    if (nothingFits) {
      return "the adapter is for another model: none of its layers is in this one; use an adapter"
          + " for FLUX.1";
    }
    if (names.stream().anyMatch(n -> n.contains("dora_scale") || n.contains("magnitude_vector"))) {
      return "DoRA is not supported; use a plain LoRA";
    }
    if (names.stream()
        .anyMatch(
            n ->
                n.endsWith(".bias")
                    || n.endsWith(".diff")
                    || n.endsWith(".diff_b")
                    || n.endsWith("_norm.scale"))) {
      return "changes of biases or norms, as control adapters have, are not supported";
    }
    return "some tensors belong to no layer of this model; use an adapter for it, with layers of"
        + " the same number";
  }

  private static Optional<String> problem(
      SafetensorsFile file, Map<Part, String> tensors, Target target) throws IOException {
    if (!tensors.containsKey(Part.UP) || !tensors.containsKey(Part.DOWN)) {
      return Optional.of(
          "expected two factors, found " + String.join(" and ", tensors.values()) + " alone");
    }
    for (Map.Entry<Part, String> tensor : tensors.entrySet()) {
      DType dtype = file.info(tensor.getValue()).dtype();
      if (tensor.getKey() != Part.ALPHA && !FloatConversion.supports(dtype)) {
        return Optional.of("expected BF16, F16 or F32, found " + dtype);
      }
    }
    List<Long> up = file.info(tensors.get(Part.UP)).shape();
    List<Long> down = file.info(tensors.get(Part.DOWN)).shape();
    boolean fits =
        up.size() == 2
            && down.size() == 2
            && up.get(0) == target.rows()
            && down.get(1) == target.columns()
            && up.get(1).equals(down.get(0))
            && up.get(1) > 0;
    if (!fits) {
      return Optional.of(
          "expected factors [%d, rank] and [rank, %d], found %s and %s"
              .formatted(target.rows(), target.columns(), up, down));
    }
    if (tensors.containsKey(Part.ALPHA) && file.info(tensors.get(Part.ALPHA)).elementCount() != 1) {
      return Optional.of(
          "expected one number alpha, found " + file.info(tensors.get(Part.ALPHA)).shape());
    }
    return Optional.empty();
  }

  /** The one number of a tensor of any type: tools write alphas as they are at hand. */
  private static double number(SafetensorsFile file, String name) throws IOException {
    TensorInfo info = file.info(name);
    ByteBuffer bytes = file.slice(name, 0, (int) info.byteSize());
    double value =
        switch (info.dtype()) {
          case F64 -> bytes.getDouble(0);
          case I64 -> (double) bytes.getLong(0);
          case I32 -> bytes.getInt(0);
          case I16 -> bytes.getShort(0);
          case U8, BOOL -> bytes.get(0) & 0xff;
          case F32, F16, BF16, F8_E4M3, F8_E5M2, I8 -> floating(bytes, info.dtype());
        };
    if (!Double.isFinite(value)) {
      throw new AdapterException(
          file.path()
              + ": tensor "
              + Quoted.of(name)
              + ": expected a finite alpha, found "
              + value);
    }
    return value;
  }

  private static float floating(ByteBuffer bytes, DType dtype) {
    ByteBuffer wide = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    new FloatConversion(dtype, DType.F32).convert(bytes, wide);
    return wide.getFloat(0);
  }

  private static String listed(List<String> unused) {
    return listed("unused tensors", unused);
  }

  private static String listed(String what, List<String> items) {
    String more = items.size() > MAX_LISTED ? ", and " + (items.size() - MAX_LISTED) + " more" : "";
    return what
        + " ("
        + items.size()
        + "): "
        + String.join(", ", items.subList(0, Math.min(items.size(), MAX_LISTED)))
        + more;
  }

  Path path() {
    return file.path();
  }

  List<LoraLayer> layers() {
    return layers;
  }

  @Override
  public void close() {
    file.close();
  }
}
