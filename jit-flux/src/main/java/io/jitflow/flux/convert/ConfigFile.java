package io.jitflow.flux.convert;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A JSON configuration of a checkpoint; absent and null entries take the default. */
final class ConfigFile {
  private static final long MAX_BYTES = 64 << 20;

  private final Path file;
  private final JsonObject object;

  private ConfigFile(Path file, JsonObject object) {
    this.file = file;
    this.object = object;
  }

  static ConfigFile read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          file
              + ": expected a JSON configuration, found "
              + (Files.exists(file) ? "no regular file" : "nothing")
              + "; download it with the checkpoint");
    }
    long size = Files.size(file);
    if (size > MAX_BYTES) {
      throw new CheckpointException(
          file + ": expected a JSON configuration of a few kilobytes, found " + size + " bytes");
    }
    try {
      JsonReader reader = new JsonReader(new StringReader(Files.readString(file)));
      reader.setStrictness(Strictness.STRICT);
      JsonElement element = JsonParser.parseReader(reader);
      if (element.isJsonObject()) {
        return new ConfigFile(file, element.getAsJsonObject());
      }
      throw new CheckpointException(
          file + ": expected a JSON object, found other JSON; download the file again");
    } catch (JsonParseException | CharacterCodingException e) {
      throw new CheckpointException(
          file + ": expected JSON in UTF-8, found something else; download the file again", e);
    }
  }

  static Optional<ConfigFile> readIfPresent(Path file) throws IOException {
    return Files.exists(file) ? Optional.of(read(file)) : Optional.empty();
  }

  Path file() {
    return file;
  }

  boolean has(String key) {
    return object.has(key) && !object.get(key).isJsonNull();
  }

  /** The object under a key, or this object. */
  ConfigFile within(String key) {
    return has(key) && object.get(key).isJsonObject()
        ? new ConfigFile(file, object.getAsJsonObject(key))
        : this;
  }

  Optional<String> string(String key) throws CheckpointException {
    if (!has(key)) {
      return Optional.empty();
    }
    return Optional.of(primitive(key, "a string").getAsString());
  }

  /** Fails unless the entry is absent or has the one supported value. */
  void require(String key, String supported) throws CheckpointException {
    String found = string(key).orElse(supported);
    if (!found.equals(supported)) {
      throw wrong(key, supported, found);
    }
  }

  int integer(String key) throws CheckpointException {
    if (!has(key)) {
      throw wrong(key, "a whole number", "nothing");
    }
    return whole(key, object.get(key));
  }

  int integer(String key, int absent) throws CheckpointException {
    return has(key) ? integer(key) : absent;
  }

  double number(String key, double absent) throws CheckpointException {
    if (!has(key)) {
      return absent;
    }
    JsonPrimitive primitive = primitive(key, "a number");
    if (!primitive.isNumber()) {
      throw wrong(key, "a number", primitive);
    }
    return primitive.getAsDouble();
  }

  boolean flag(String key, boolean absent) throws CheckpointException {
    if (!has(key)) {
      return absent;
    }
    JsonPrimitive primitive = primitive(key, "true or false");
    if (!primitive.isBoolean()) {
      throw wrong(key, "true or false", primitive);
    }
    return primitive.getAsBoolean();
  }

  List<Integer> integers(String key, List<Integer> absent) throws CheckpointException {
    if (!has(key)) {
      return absent;
    }
    if (!object.get(key).isJsonArray()) {
      throw wrong(key, "an array of whole numbers", object.get(key));
    }
    List<Integer> values = new ArrayList<>();
    for (JsonElement item : object.getAsJsonArray(key)) {
      values.add(whole(key, item));
    }
    return values;
  }

  private int whole(String key, JsonElement element) throws CheckpointException {
    try {
      if (element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber()) {
        return element.getAsBigDecimal().intValueExact();
      }
    } catch (ArithmeticException | NumberFormatException e) {
      throw wrong(key, "a whole number of 32 bits", element);
    }
    throw wrong(key, "a whole number", element);
  }

  private JsonPrimitive primitive(String key, String expected) throws CheckpointException {
    JsonElement element = object.get(key);
    if (!element.isJsonPrimitive()) {
      throw wrong(key, expected, "an object or array");
    }
    return element.getAsJsonPrimitive();
  }

  CheckpointException wrong(String key, String expected, Object found) {
    String shown = found.toString();
    return new CheckpointException(
        file
            + ": "
            + key
            + ": expected "
            + expected
            + ", found "
            + (shown.length() > 80 ? shown.substring(0, 80) + "..." : shown)
            + "; this is not the configuration of a supported FLUX.1 part");
  }
}
