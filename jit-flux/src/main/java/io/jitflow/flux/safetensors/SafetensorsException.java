package io.jitflow.flux.safetensors;

import io.jitflow.flux.file.BrokenFileException;
import io.jitflow.flux.json.Quoted;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint file that is missing, damaged, malformed or not supported. The message names the
 * file and, where one is to blame, the tensor; it says what was expected, what was found and what
 * to do.
 */
public final class SafetensorsException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  private final transient @Nullable Path file;

  /** The tensor to blame, or null. */
  private final @Nullable String tensor;

  private SafetensorsException(
      Path file, @Nullable String tensor, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.file = file;
    this.tensor = tensor;
  }

  static SafetensorsException of(Path file, String message) {
    return new SafetensorsException(file, null, file + ": " + message, null);
  }

  static SafetensorsException of(Path file, String message, Throwable cause) {
    return new SafetensorsException(file, null, file + ": " + message, cause);
  }

  static SafetensorsException ofTensor(Path file, String tensor, String message) {
    return new SafetensorsException(
        file, tensor, file + ": tensor " + Quoted.of(tensor) + ": " + message, null);
  }

  /**
   * Returns the file that is to blame.
   *
   * @return the path as it was opened; empty after deserialisation
   */
  public Optional<Path> file() {
    return Optional.ofNullable(file);
  }

  /**
   * Returns the name of the tensor that is to blame.
   *
   * @return the name, or empty if the error concerns the whole file
   */
  public Optional<String> tensor() {
    return Optional.ofNullable(tensor);
  }
}
