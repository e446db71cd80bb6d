package io.jitflow.flux.convert;

import io.jitflow.flux.json.JsonFaults;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A JSON configuration of a checkpoint; absent and null entries take the default. */
final class ConfigFile {
  private static final long MAX_BYTES = 64 << 20;

  private final Path file;
  private final StrictJson json;

  private ConfigFile(Path file, StrictJson json) {
    this.file = file;
    this.json = json;
  }

  static ConfigFile read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new CheckpointException(
          file
              + ": expected a JSON configuration, found "
              + (Files.exists(file) ? "no regular file" : "nothing")
              + "; download it with the checkpoint");
    }
    return new ConfigFile(file, StrictJson.read(file, MAX_BYTES, new Faults(file)));
  }

  static Optional<ConfigFile> readIfPresent(Path file) throws IOException {
    return Files.exists(file) ? Optional.of(read(file)) : Optional.empty();
  }

  Path file() {
    return file;
  }

  boolean has(String key) {
    return json.has(key);
  }

  /** The object under a key, or this object. */
  ConfigFile within(String key) throws IOException {
    return has(key) ? new ConfigFile(file, json.object(key)) : this;
  }

  Optional<String> string(String key) throws IOException {
    return json.optionalString(key);
  }

  /** Fails unless the entry is absent or has the one supported value. */
  void require(String key, String supported) throws IOException {
    String found = string(key).orElse(supported);
    if (!found.equals(supported)) {
      throw wrong(key, supported, found);
    }
  }

  int integer(String key) throws IOException {
    return json.integer(key);
  }

  int integer(String key, int absent) throws IOException {
    return json.integer(key, absent);
  }

  double number(String key, double absent) throws IOException {
    return json.number(key, absent);
  }

  boolean flag(String key, boolean absent) throws IOException {
    return json.flag(key, absent);
  }

  List<Integer> integers(String key, List<Integer> absent) throws IOException {
    return has(key) ? json.integers(key) : absent;
  }

  /** Fails if there is an entry that nobody asked for, except notes, whose names begin with _. */
  void requireAllRead() throws IOException {
    Optional<String> unread = json.unread(key -> !key.startsWith("_"));
    if (unread.isPresent()) {
      throw wrong(unread.get(), "no such entry, for it could change the images", "it");
    }
  }

  IOException wrong(String key, String expected, Object found) {
    return json.wrong(key, expected, found);
  }

  private record Faults(Path file) implements JsonFaults {
    @Override
    public IOException unreadable(String problem, @Nullable Throwable cause) {
      return new CheckpointException(file + ": " + problem + "; download the file again", cause);
    }

    @Override
    public IOException wrong(String problem) {
      return new CheckpointException(
          file + ": " + problem + "; this is not the configuration of a supported FLUX.1 part");
    }
  }
}
