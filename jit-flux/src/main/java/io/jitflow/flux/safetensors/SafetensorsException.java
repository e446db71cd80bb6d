package io.jitflow.flux.safetensors;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A checkpoint file that is missing, damaged, malformed or not supported. The message names the
 * file and, where one is to blame, the tensor; it says what was expected, what was found and what
 * to do.
 */
public final class SafetensorsException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int MAX_QUOTED = 160;

  private final transient Path file;

  /** The tensor to blame, or null. */
  private final String tensor;

  private SafetensorsException(Path file, String tensor, String message, Throwable cause) {
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
        file, tensor, file + ": tensor " + quote(tensor) + ": " + message, null);
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

  /** Quotes text from a file so that it cannot garble a terminal or flood a log. */
  static String quote(String text) {
    StringBuilder out = new StringBuilder("'");
    int shown = Math.min(text.length(), MAX_QUOTED);
    for (int i = 0; i < shown; i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c) || Character.isSurrogate(c) || isFormatting(c)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    if (shown < text.length()) {
      out.append("... (").append(text.length()).append(" characters)");
    }
    return out.append('\'').toString();
  }

  private static boolean isFormatting(char c) {
    return switch (Character.getType(c)) {
      case Character.FORMAT, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> true;
      default -> false;
    };
  }
}
