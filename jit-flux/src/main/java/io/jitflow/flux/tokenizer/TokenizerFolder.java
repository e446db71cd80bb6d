package io.jitflow.flux.tokenizer;

import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * The files of a tokenizer folder, read with messages that name the file.
 *
 * @param folder {@code tokenizer} or {@code tokenizer_2} of a checkpoint, or the like
 */
record TokenizerFolder(Path folder) {

  static final String DEFINITION = "tokenizer.json";
  private static final String CONFIG = "tokenizer_config.json";
  private static final long MAX_BYTES = 64 << 20;

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
      throw new TokenizerException(file(name) + ": not valid UTF-8", e);
    }
  }

  StrictJson object(String name) throws IOException {
    Path file = file(name);
    return StrictJson.read(
        file, MAX_BYTES, (problem, cause) -> new TokenizerException(file + ": " + problem, cause));
  }

  /** {@code model_max_length} of {@code tokenizer_config.json}, if it is there and a real limit. */
  OptionalInt maxLength() throws IOException {
    if (!has(CONFIG)) {
      return OptionalInt.empty();
    }
    StrictJson config = object(CONFIG);
    double length = config.number("model_max_length", Double.MAX_VALUE);
    return length >= 1 && length <= LARGEST_LENGTH
        ? OptionalInt.of(config.integer("model_max_length"))
        : OptionalInt.empty();
  }

  /** An error that lists what was looked for and what is there. */
  IOException missing(String wanted) throws IOException {
    try (var entries = Files.list(folder)) {
      String found =
          String.join(", ", entries.map(p -> p.getFileName().toString()).sorted().toList());
      return new TokenizerException(
          folder + ": expected " + wanted + ", found " + (found.isEmpty() ? "nothing" : found),
          null);
    }
  }
}
