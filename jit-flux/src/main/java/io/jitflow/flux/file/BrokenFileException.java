package io.jitflow.flux.file;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A file or folder that can be read but is not what it should be: damaged, incomplete, of another
 * kind or of another version. The message names the file and the place in it, says what was
 * expected, what was found and what to do.
 *
 * <p>Every other {@link IOException} of this library means that the system could not read or write.
 */
public abstract class BrokenFileException extends IOException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an error of a known cause.
   *
   * @param message names the file, what was expected and found, and what to do
   * @param cause what the parser met, or null
   */
  protected BrokenFileException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
