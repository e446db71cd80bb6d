package io.jitflow.flux.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The files of a tokenizer folder, read with messages that name the file.
 *
 * @param folder {@code tokenizer} or {@code tokenizer_2} of a checkpoint, or the like
 */
record TokenizerFolder(Path folder) {

  static final String DEFINITION = "tokenizer.json";

  /** Larger values of {@code model_max_length} are placeholders for "no limit". */
  private static final double LARGEST_LENGTH = 1_000_000;

  static TokenizerFolder open(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new NotDirectoryException(
          folder + ": expected a tokenizer folder with " + DEFINITION + " or its parts");
    }
    return new TokenizerFolder(folder);
  }

  boolean has(String name) {
    return Files.isRegularFile(folder.resolve(name));
  }

  Path file(String name) {
    return folder.resolve(name);
  }

  String text(String name) throws IOException {
    try {
      return Files.readString(file(name));
    } catch (CharacterCodingException e) {
      throw new IOException(file(name) + ": not valid UTF-8", e);
    }
  }

  JsonObject object(String name) throws IOException {
    try {
      return JsonParser.parseString(text(name)).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      throw new IOException(file(name) + ": expected a JSON object: " + e.getMessage(), e);
    }
  }

  /** {@code model_max_length} of {@code tokenizer_config.json}, if it is there and a real limit. */
  OptionalInt maxLength() throws IOException {
    Optional<JsonElement> value = config("model_max_length");
    if (value.isEmpty() || !isNumber(value.get())) {
      return OptionalInt.empty();
    }
    double length = value.get().getAsDouble();
    return length >= 1 && length <= LARGEST_LENGTH
        ? OptionalInt.of((int) length)
        : OptionalInt.empty();
  }

  /** How many {@code <extra_id_N>} tokens {@code tokenizer_config.json} declares, if it does. */
  OptionalInt extraIds() throws IOException {
    Optional<JsonElement> count = config("extra_ids");
    if (count.isPresent() && isNumber(count.get())) {
      return OptionalInt.of(count.get().getAsInt());
    }
    Optional<JsonElement> names = config("additional_special_tokens");
    if (names.isPresent() && names.get() instanceof JsonArray list) {
      int extra = 0;
      for (JsonElement name : list) {
        if (name.toString().contains("<extra_id_")) {
          extra++;
        }
      }
      return OptionalInt.of(extra);
    }
    return OptionalInt.empty();
  }

  private Optional<JsonElement> config(String key) throws IOException {
    if (!has("tokenizer_config.json")) {
      return Optional.empty();
    }
    return Optional.ofNullable(object("tokenizer_config.json").get(key));
  }

  private static boolean isNumber(JsonElement value) {
    return value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber();
  }

  /** An error that lists what was looked for and what is there. */
  IOException missing(String wanted) throws IOException {
    try (var entries = Files.list(folder)) {
      String found =
          String.join(", ", entries.map(p -> p.getFileName().toString()).sorted().toList());
      return new IOException(
          folder + ": expected " + wanted + ", found " + (found.isEmpty() ? "nothing" : found));
    }
  }
}
