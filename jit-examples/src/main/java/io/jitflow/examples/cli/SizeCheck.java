package io.jitflow.examples.cli;

import io.jitflow.flux.image.ImageRequest;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Tells of a size that no picture can have before a model is loaded. */
final class SizeCheck {
  private SizeCheck() {}

  /**
   * Checks the sides of a square picture.
   *
   * @param sizePx width and height
   * @param command whose {@code --size} it is
   * @throws ParameterException if there is no such picture
   */
  static void square(int sizePx, CommandLine command) {
    try {
      ImageRequest.of("any").withSize(sizePx, sizePx);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command, e.getMessage(), e);
    }
  }
}
