package io.jitflow.flux.image;

import io.jitflow.flux.file.BrokenFileException;
import org.jspecify.annotations.Nullable;

/** A PNG file that is damaged, or carries no request that this version can bring back. */
final class PngException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  PngException(String message) {
    super(message, null);
  }

  PngException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
