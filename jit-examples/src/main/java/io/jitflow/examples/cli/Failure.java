package io.jitflow.examples.cli;

import ai.djl.engine.EngineException;
import io.jitflow.flux.network.EngineFailure;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Model.CommandSpec;

/**
 * What a user is told about an exception: one message, and the exit code.
 *
 * @param message one sentence or more, without the exception's class
 * @param exitCode the process's exit code
 */
record Failure(String message, int exitCode) {

  /**
   * What to tell.
   *
   * @param cause the exception
   * @param command the command that failed; only options that it has are advised
   */
  static Failure of(Throwable cause, CommandSpec command) {
    if (cause instanceof CancellationException) {
      return new Failure("cancelled", Main.CANCELLED);
    }
    return new Failure("error: " + Printable.of(sentence(cause, command)), Main.FAILED);
  }

  private static String sentence(Throwable cause, CommandSpec command) {
    if (cause instanceof UncheckedIOException) {
      return sentence(cause.getCause(), command);
    }
    if (cause instanceof NoSuchFileException missing) {
      return missing.getFile()
          + ": "
          + (missing.getReason() == null
              ? "no such file or folder"
              : "not found, " + missing.getReason());
    }
    if (cause instanceof AccessDeniedException denied) {
      return denied.getFile() + ": permission denied";
    }
    String message =
        cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    if (isDiskFull(cause)) {
      return message + "; free some disk space or choose another folder";
    }
    if (cause instanceof OutOfMemoryError) {
      return "out of Java memory (%s); give it more with java -Xmx8g".formatted(message);
    }
    if (cause instanceof EngineException engine) {
      if (EngineFailure.isOutOfMemory(engine)) {
        return firstLine(message) + needingLess(command);
      }
      // libtorch appends its own stack; the first line says what happened
      return "the PyTorch engine failed: %s (--stacktrace shows more)"
          .formatted(firstLine(message));
    }
    if (cause instanceof IOException
        || cause instanceof IllegalArgumentException
        || cause instanceof IllegalStateException
        || cause instanceof FileNotFoundException) {
      return message;
    }
    return "%s: %s (--stacktrace shows more)".formatted(cause.getClass().getSimpleName(), message);
  }

  /** How the command can be told to need less memory. */
  private static String needingLess(CommandSpec command) {
    if (command.findOption("--low-memory") != null && command.findOption("--device") != null) {
      return "; make the image smaller, free the text encoders with --low-memory,"
          + " or choose another --device";
    }
    return command.findOption("--size") == null ? "" : "; make the image smaller";
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse(message);
  }

  private static boolean isDiskFull(Throwable cause) {
    String message = cause.getMessage();
    return cause instanceof IOException
        && message != null
        && (message.contains("No space left") || message.contains("not enough space"));
  }

  /**
   * Prints the message.
   *
   * @param err where to
   * @param trace the exception whose stack trace to print, or null
   * @return the exit code
   */
  int print(PrintWriter err, Throwable trace) {
    err.println(message);
    if (trace != null) {
      trace.printStackTrace(err);
    }
    err.flush();
    return exitCode;
  }
}
