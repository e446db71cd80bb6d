package io.jitflow.flux.json;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Turns what a reader found wrong into the exception of whoever reads. */
@FunctionalInterface
public interface JsonFaults {

  /**
   * A text that is no JSON object in UTF-8.
   *
   * @param problem what was expected and found; no file name, no advice
   * @param cause what the parser met, or null
   * @return the exception to throw
   */
  IOException unreadable(String problem, @Nullable Throwable cause);

  /**
   * A value that is missing, of another type, not representable, or unknown.
   *
   * @param problem the path of the value, what was expected and found; no file name, no advice
   * @return the exception to throw
   */
  default IOException wrong(String problem) {
    return unreadable(problem, null);
  }
}
