package io.jitflow.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import org.assertj.core.api.Assertions;

/** Comparing FLOAT32 arrays. */
public final class Arrays32 {
  private Arrays32() {}

  /**
   * Asserts {@code |x - expected| <= atol + rtol |expected|} for every element; NaN never passes.
   */
  public static void assertClose(
      String what, NDArray actual, NDArray expected, double atol, double rtol) {
    assertThat(actual.getShape()).as(what).isEqualTo(expected.getShape());
    assertClose(what, actual.toFloatArray(), expected.toFloatArray(), atol, rtol);
  }

  /** The same with an absolute tolerance only. */
  public static void assertClose(String what, NDArray actual, NDArray expected, double atol) {
    assertClose(what, actual, expected, atol, 0);
  }

  /** The same for arrays on the heap. */
  public static void assertClose(
      String what, float[] actual, float[] expected, double atol, double rtol) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    int worst = -1;
    double worstExcess = 0;
    for (int i = 0; i < actual.length; i++) {
      double difference = Math.abs((double) actual[i] - expected[i]);
      double excess = difference - (atol + rtol * Math.abs(expected[i]));
      if (!(excess <= 0) && !(excess <= worstExcess)) {
        worst = i;
        worstExcess = excess;
      }
    }
    if (worst >= 0) {
      Assertions.fail(
          "%s: element %d of %d is %s, expected %s (atol %s, rtol %s)",
          what, worst, actual.length, actual[worst], expected[worst], atol, rtol);
    }
  }

  /** Asserts equality, bit for bit. */
  public static void assertIdentical(String what, NDArray actual, NDArray expected) {
    assertThat(actual.getShape()).as(what).isEqualTo(expected.getShape());
    assertThat(actual.toFloatArray()).as(what).isEqualTo(expected.toFloatArray());
  }
}
