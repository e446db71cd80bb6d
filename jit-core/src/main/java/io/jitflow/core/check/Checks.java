package io.jitflow.core.check;

import java.util.Locale;

/** Checks of arguments, with messages that read the same in every locale. */
public final class Checks {

  /** The largest number of steps that a sampler takes; far beyond any use. */
  public static final int LARGEST_STEPS = 10_000;

  private Checks() {}

  /**
   * Refuses a bad argument.
   *
   * @param isGood whether it is good
   * @param template says what was expected and found, for {@link String#format}
   * @param values the template's values
   * @throws IllegalArgumentException if it is not
   */
  public static void argument(boolean isGood, String template, Object... values) {
    if (!isGood) {
      throw new IllegalArgumentException(String.format(Locale.ROOT, template, values));
    }
  }

  /**
   * Refuses a whole number outside its range.
   *
   * @param what the argument's name
   * @param value the argument
   * @param smallest the smallest that is good
   * @param largest the largest that is good
   * @return the argument
   * @throws IllegalArgumentException if it is outside
   */
  public static int range(String what, int value, int smallest, int largest) {
    argument(value >= smallest, "%s must be at least %d, got %d", what, smallest, value);
    argument(value <= largest, "%s must be at most %d, got %d", what, largest, value);
    return value;
  }

  /**
   * Refuses a number of steps that no sampler takes, before anything of that length is made.
   *
   * @param steps the number of model evaluations
   * @return the argument
   * @throws IllegalArgumentException if it is not from 1 to {@value #LARGEST_STEPS}
   */
  public static int steps(int steps) {
    argument(steps >= 1, "at least 1 step is needed, got %d", steps);
    argument(steps <= LARGEST_STEPS, "at most %d steps are possible, got %d", LARGEST_STEPS, steps);
    return steps;
  }
}
