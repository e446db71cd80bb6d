package io.jitflow.flux.tokenizer;

import io.jitflow.flux.file.BrokenFileException;
import org.jspecify.annotations.Nullable;

/** Files that make no tokenizer of FLUX.1. */
final class TokenizerException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  TokenizerException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
