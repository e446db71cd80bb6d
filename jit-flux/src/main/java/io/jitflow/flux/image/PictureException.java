package io.jitflow.flux.image;

import io.jitflow.flux.file.BrokenFileException;
import org.jspecify.annotations.Nullable;

/** A picture that is damaged, or of a kind that cannot be used. */
final class PictureException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  PictureException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
