package io.jitflow.flux.tokenizer;

import io.jitflow.flux.file.BrokenFileException;

/** Files that make no tokenizer of FLUX.1. */
final class TokenizerException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  TokenizerException(String message, Throwable cause) {
    super(message, cause);
  }
}
