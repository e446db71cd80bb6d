package io.jitflow.flux.bundle;

import io.jitflow.flux.file.BrokenFileException;
import org.jspecify.annotations.Nullable;

/**
 * A bundle that is missing, incomplete, damaged, or of another version. The message names the file
 * and the entry, says what was expected and found, and what to do.
 */
public final class BundleException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  BundleException(String message) {
    super(message, null);
  }

  BundleException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
