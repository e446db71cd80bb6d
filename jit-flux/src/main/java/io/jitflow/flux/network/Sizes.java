package io.jitflow.flux.network;

/** Checks of the numbers in architecture records. */
final class Sizes {
  private Sizes() {}

  static void requirePositive(String name, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, got " + value);
    }
  }
}
