package io.jitflow.flux.image;

import org.jspecify.annotations.Nullable;
import io.jitflow.flux.file.BrokenFileException;

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
