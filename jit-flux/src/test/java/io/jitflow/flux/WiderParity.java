package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Fixtures;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The recorded sets of single networks, twice as wide: every channel of every layer is there twice,
 * and the weights that read it are half as large. In exact arithmetic such a network computes what
 * the recorded one does, twice, so the recordings of the reference are recordings of it, too. Its
 * widths fit no other set's.
 *
 * <p>Channels are doubled in groups of a head's width where a layer has heads: it then has twice
 * the heads.
 */
final class WiderParity {
  private static final double HALF_ROOT = Math.sqrt(0.5);

  private WiderParity() {}

  /** Writes the four sets into an empty folder and returns it. */
  static Path write(Path folder) throws IOException {
    transformer(folder.resolve("wide-transformer"));
    vae(folder.resolve("wide-vae"));
    clip(folder.resolve("wide-clip"));
    t5(folder.resolve("wide-t5"));
    return folder;
  }

  private static void transformer(Path folder) throws IOException {
    Path own = Fixtures.folder("parity/flux-tiny-transformer");
    JsonObject set = description(own);
    JsonObject variant = set.getAsJsonArray("variants").get(0).getAsJsonObject();
    keepOnly(set.getAsJsonArray("variants"), variant);
    JsonObject config = variant.getAsJsonObject("config");
    int head = config.get("attention_head_dim").getAsInt();
    twice(config, "in_channels", "num_attention_heads", "joint_attention_dim");
    twice(config, "pooled_projection_dim");
    Weights wider =
        (name, weight) -> {
          boolean qkNorm = weight.getShape().dimension() == 1 && weight.size() == head;
          boolean readsSinusoid =
              name.matches("(time|guidance)_in\\.in_layer\\.weight")
                  || name.matches(".*(timestep|guidance)_embedder\\.linear_1\\.weight");
          boolean readsPooled =
              name.equals("vector_in.in_layer.weight")
                  || name.endsWith("text_embedder.linear_1.weight");
          if (qkNorm) {
            return weight;
          }
          NDArray rows = doubled(weight, 0, head);
          if (weight.getShape().dimension() == 1 || readsSinusoid) {
            return rows;
          }
          return doubled(rows, 1, readsPooled ? 1 : head).mul(0.5);
        };
    JsonObject weights = variant.getAsJsonObject("weights");
    copy(own, folder, weights.get("bfl").getAsString(), wider);
    Path diffusers = Path.of(weights.get("diffusers").getAsString());
    try (Stream<Path> files = Files.list(own.resolve(diffusers))) {
      for (Path file : files.toList()) {
        copy(own, folder, own.relativize(file).toString(), wider);
      }
    }
    Files.writeString(folder.resolve(diffusers).resolve("config.json"), diffusers(own, config));
    for (JsonObject one : Fixtures.objects(variant.get("cases"))) {
      arrays(
          own,
          folder,
          one.get("arrays").getAsString(),
          (name, array) ->
              switch (name) {
                case "img", "txt", "expected", "expected_bf16" ->
                    doubled(array, array.getShape().dimension() - 1, head);
                case "vec" -> doubled(array, 1, 1);
                default -> array;
              });
    }
    write(folder, set);
  }

  private static String diffusers(Path own, JsonObject config) {
    JsonObject whole = Fixtures.json(own.resolve("dev/transformer/config.json")).getAsJsonObject();
    config.entrySet().forEach(entry -> whole.add(entry.getKey(), entry.getValue()));
    return whole.toString();
  }

  private static void vae(Path folder) throws IOException {
    Path own = Fixtures.folder("parity/flux-tiny-vae");
    JsonObject set = description(own);
    JsonObject variant = set.getAsJsonArray("variants").get(0).getAsJsonObject();
    twice(variant.getAsJsonObject("config"), "ch", "z_channels");
    JsonObject weights = variant.getAsJsonObject("weights");
    weights.remove("diffusers"); // is stored in bfloat16, which DJL does not hold
    copy(
        own,
        folder,
        weights.get("bfl").getAsString(),
        (name, weight) -> {
          boolean toRgb = name.startsWith("decoder.conv_out.");
          boolean fromRgb = name.equals("encoder.conv_in.weight");
          NDArray wider = toRgb ? weight : doubled(weight, 0, 1);
          if (weight.getShape().dimension() == 4 && !fromRgb) {
            wider = doubled(wider, 1, 1).mul(0.5);
          }
          // products of twice as many channels, in the one head that the attention has
          return name.matches(".*\\.mid\\.attn_1\\.q\\..*") ? wider.mul(HALF_ROOT) : wider;
        });
    for (JsonObject one : Fixtures.objects(variant.get("cases"))) {
      arrays(
          own,
          folder,
          one.get("arrays").getAsString(),
          (name, array) -> name.contains("image") ? array : doubled(array, 1, 1));
    }
    write(folder, set);
  }

  private static void clip(Path folder) throws IOException {
    Path own = Fixtures.folder("parity/clip-tiny");
    JsonObject set = description(own);
    JsonObject config = set.getAsJsonObject("config");
    int head = config.get("hidden_size").getAsInt() / config.get("num_attention_heads").getAsInt();
    String[] sizes = {"hidden_size", "intermediate_size", "num_attention_heads"};
    twice(config, sizes);
    JsonObject alternative =
        Fixtures.json(own.resolve(set.get("alternative_config").getAsString())).getAsJsonObject();
    twice(alternative, sizes);
    copy(
        own,
        folder,
        "text_encoder/model.safetensors",
        (name, weight) -> {
          if (name.endsWith("_embedding.weight")) {
            return doubled(weight, 1, head);
          }
          NDArray wider = doubled(weight, 0, head);
          return weight.getShape().dimension() == 1 ? wider : doubled(wider, 1, head).mul(0.5);
        });
    Files.writeString(folder.resolve("text_encoder/config.json"), config.toString());
    Files.writeString(
        folder.resolve(set.get("alternative_config").getAsString()), alternative.toString());
    arrays(
        own,
        folder,
        set.get("arrays").getAsString(),
        (name, array) ->
            name.startsWith("expected")
                ? doubled(array, array.getShape().dimension() - 1, head)
                : array);
    write(folder, set);
  }

  private static void t5(Path folder) throws IOException {
    Path own = Fixtures.folder("parity/t5-tiny");
    JsonObject set = description(own);
    JsonObject config = set.getAsJsonObject("config");
    int head = config.get("d_kv").getAsInt();
    twice(config, "d_model", "d_ff", "num_heads");
    copy(
        own,
        folder,
        "text_encoder_2/model.safetensors",
        (name, weight) -> {
          if (name.equals("shared.weight") || name.endsWith("embed_tokens.weight")) {
            return doubled(weight, 1, head);
          }
          if (name.contains("relative_attention_bias")) {
            return doubled(weight, 1, 1); // a column for each head
          }
          NDArray wider = doubled(weight, 0, head);
          return weight.getShape().dimension() == 1 ? wider : doubled(wider, 1, head).mul(0.5);
        });
    Files.writeString(folder.resolve("text_encoder_2/config.json"), config.toString());
    arrays(
        own,
        folder,
        set.get("arrays").getAsString(),
        (name, array) -> name.contains("expected") ? doubled(array, 2, head) : array);
    write(folder, set);
  }

  /** Makes the wider array of one with a name. */
  private interface Weights {
    NDArray wider(String name, NDArray array);
  }

  /** Every group of entries along an axis twice. */
  private static NDArray doubled(NDArray array, int axis, int group) {
    long[] shape = array.getShape().getShape();
    long before = array.getShape().slice(0, axis).size();
    long after = array.getShape().slice(axis + 1).size();
    long[] wider = shape.clone();
    wider[axis] *= 2;
    return array
        .reshape(new Shape(before, shape[axis] / group, group * after))
        .repeat(1, 2)
        .reshape(new Shape(wider));
  }

  private static void copy(Path from, Path to, String file, Weights weights) throws IOException {
    Path target = to.resolve(file);
    Files.createDirectories(target.getParent());
    if (file.endsWith(".safetensors")) {
      convert(from.resolve(file), target, NDList.Encoding.SAFETENSORS, weights);
    } else {
      Files.copy(from.resolve(file), target);
    }
  }

  private static void arrays(Path from, Path to, String file, Weights weights) throws IOException {
    Path target = to.resolve(file);
    Files.createDirectories(target.getParent());
    convert(from.resolve(file), target, NDList.Encoding.NPZ, weights);
  }

  private static void convert(Path from, Path to, NDList.Encoding encoding, Weights weights)
      throws IOException {
    try (NDManager manager = NDManager.newBaseManager()) {
      NDList wider = new NDList();
      for (NDArray array : NDList.decode(manager, Files.readAllBytes(from))) {
        boolean numbers = array.getDataType() == DataType.FLOAT32;
        NDArray changed = numbers ? weights.wider(array.getName(), array) : array;
        changed.setName(array.getName());
        wider.add(changed);
      }
      try (OutputStream out = Files.newOutputStream(to)) {
        wider.encode(out, encoding);
      }
    }
  }

  private static JsonObject description(Path set) {
    return Fixtures.json(set.resolve("case.json")).getAsJsonObject();
  }

  private static void write(Path folder, JsonObject set) throws IOException {
    set.addProperty("set", folder.getFileName().toString());
    // sums of twice as many products round about twice as much
    JsonObject tolerance = set.getAsJsonObject("tolerance").getAsJsonObject("float32");
    tolerance.addProperty("atol", 2 * tolerance.get("atol").getAsDouble());
    Files.writeString(folder.resolve("case.json"), set.toString());
  }

  private static void keepOnly(JsonArray list, JsonElement element) {
    List.copyOf(list.asList()).stream().filter(e -> e != element).forEach(list::remove);
  }

  private static void twice(JsonObject config, String... sizes) {
    for (String size : sizes) {
      config.addProperty(size, 2 * config.get(size).getAsInt());
    }
  }
}
