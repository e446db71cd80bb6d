package io.jitflow.flux.adapter;

import java.io.IOException;

/**
 * An adapter that is readable but does not fit: it is of a kind that is not supported, or made for
 * another model. The message names file and tensors, what was expected, what was found and what to
 * do.
 */
public final class AdapterException extends IOException {
  private static final long serialVersionUID = 1L;

  AdapterException(String message) {
    super(message);
  }

  AdapterException(String message, Throwable cause) {
    super(message, cause);
  }
}
