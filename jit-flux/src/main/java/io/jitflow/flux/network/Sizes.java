package io.jitflow.flux.network;

import io.jitflow.core.check.Checks;

/** Checks of the numbers in architecture records. */
final class Sizes {
  private Sizes() {}

  static void requirePositive(String name, int value) {
    Checks.argument(value > 0, "%s must be positive, got %d", name, value);
  }
}
