package io.jitflow.flux.adapter;

import io.jitflow.flux.file.BrokenFileException;
import org.jspecify.annotations.Nullable;

/**
 * An adapter that is readable but does not fit: it is of a kind that is not supported, or made for
 * another model. The message names file and tensors, what was expected, what was found and what to
 * do.
 */
public final class AdapterException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  AdapterException(String message) {
    super(message, null);
  }

  AdapterException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
