package io.jitflow.flux.convert;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The files of one tokenizer that a bundle takes over, and its {@code model_max_length}. */
final class TokenizerFolder {
  /** Larger lengths are the publishers' way of saying that there is no limit. */
  private static final double MAX_LENGTH = 1 << 20;

  private static final List<String> FILES =
      List.of(
          "tokenizer.json",
          "vocab.json",
          "merges.txt",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "added_tokens.json");

  private final Path folder;
  private final List<Path> files;
  private final OptionalInt maxLength;

  private TokenizerFolder(Path folder, List<Path> files, OptionalInt maxLength) {
    this.folder = folder;
    this.files = files;
    this.maxLength = maxLength;
  }

  /** CLIP's: {@code tokenizer.json}, or {@code vocab.json} and {@code merges.txt}. */
  static TokenizerFolder clip(Path folder) throws IOException {
    return read(folder, List.of(List.of("tokenizer.json"), List.of("vocab.json", "merges.txt")));
  }

  /** T5's: {@code tokenizer.json}. */
  static TokenizerFolder t5(Path folder) throws IOException {
    return read(folder, List.of(List.of("tokenizer.json")));
  }

  private static TokenizerFolder read(Path folder, List<List<String>> alternatives)
      throws IOException {
    List<Path> files = new ArrayList<>();
    for (String name : FILES) {
      if (Files.isRegularFile(folder.resolve(name))) {
        files.add(folder.resolve(name));
      }
    }
    boolean complete =
        alternatives.stream()
            .anyMatch(names -> names.stream().allMatch(n -> files.contains(folder.resolve(n))));
    if (!complete) {
      throw new CheckpointException(
          folder
              + ": expected a tokenizer ("
              + String.join(
                  ", or ", alternatives.stream().map(n -> String.join(" and ", n)).toList())
              + "), found "
              + (files.isEmpty()
                  ? "none of its files"
                  : String.join(", ", files.stream().map(f -> f.getFileName().toString()).toList()))
              + "; download the folder again");
    }
    OptionalInt maxLength = OptionalInt.empty();
    Optional<ConfigFile> config = ConfigFile.readIfPresent(folder.resolve("tokenizer_config.json"));
    if (config.isPresent()) {
      double length = config.get().number("model_max_length", Double.MAX_VALUE);
      if (length >= 1 && length <= MAX_LENGTH) {
        maxLength = OptionalInt.of(config.get().integer("model_max_length"));
      }
    }
    return new TokenizerFolder(folder, files, maxLength);
  }

  /** The smaller of {@code model_max_length} and a limit. */
  int maxLength(int limit) {
    return Math.min(maxLength.orElse(limit), limit);
  }

  long bytes() throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  /** Copies content alone: a read-only file's permissions would make the copy read-only too. */
  void copyTo(Path target) throws IOException {
    Files.createDirectory(target);
    for (Path file : files) {
      try (InputStream in = Files.newInputStream(file)) {
        Files.copy(in, target.resolve(file.getFileName()));
      } catch (IOException e) {
        throw new IOException(
            folder + ": could not copy " + file.getFileName() + ": " + e.getMessage(), e);
      }
    }
  }
}
