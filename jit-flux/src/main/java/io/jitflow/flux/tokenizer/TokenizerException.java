package io.jitflow.flux.tokenizer;

import org.jspecify.annotations.Nullable;
import io.jitflow.flux.file.BrokenFileException;

/** Files that make no tokenizer of FLUX.1. */
final class TokenizerException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  TokenizerException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
