package io.jitflow.flux.image;

import io.jitflow.flux.file.BrokenFileException;

/** A picture that is damaged, or of a kind that cannot be used. */
final class PictureException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  PictureException(String message, Throwable cause) {
    super(message, cause);
  }
}
