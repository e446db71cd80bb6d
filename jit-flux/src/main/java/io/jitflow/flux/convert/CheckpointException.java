package io.jitflow.flux.convert;

import io.jitflow.flux.file.BrokenFileException;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint whose files are readable but do not make a FLUX.1 model: a part is missing, a
 * configuration is malformed or not supported, or the tensors are not those of the network. The
 * message names file and tensor or entry, what was expected, what was found and what to do.
 */
final class CheckpointException extends BrokenFileException {
  private static final long serialVersionUID = 1L;

  CheckpointException(String message) {
    super(message, null);
  }

  CheckpointException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
