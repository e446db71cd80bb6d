package io.jitflow.core;

/**
 * A model returned what no sampler can use: nothing, a closed array, another shape, type or device,
 * or values that are not finite. The message names the step or its noise level. The run has ended
 * and freed its arrays.
 */
public final class ModelOutputException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param message what was expected, what was found, and at which step
   */
  public ModelOutputException(String message) {
    super(message);
  }
}
