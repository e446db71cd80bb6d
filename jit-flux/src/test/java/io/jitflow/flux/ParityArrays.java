package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The arrays of one {@code .npz} file by name. */
public final class ParityArrays {
  private final Path file;
  private final Map<String, NDArray> arrays = new LinkedHashMap<>();

  private ParityArrays(Path file) {
    this.file = file;
  }

  /** Reads a file; the arrays belong to the manager. */
  public static ParityArrays read(NDManager manager, Path file) throws IOException {
    ParityArrays arrays = new ParityArrays(file);
    try (InputStream in = Files.newInputStream(file)) {
      for (NDArray array : NDList.decode(manager, in)) {
        arrays.arrays.put(array.getName(), array);
        array.setName(null);
      }
    }
    return arrays;
  }

  /** Whether there is such an array. */
  public boolean has(String name) {
    return arrays.containsKey(name);
  }

  /** The array of a name. */
  public NDArray get(String name) {
    assertThat(arrays).as("arrays of %s", file).containsKey(name);
    return arrays.get(name);
  }

  /** Compares an array with the recorded one. */
  public void assertMatches(String name, NDArray found, ParitySet.Tolerance tolerance) {
    NDArray expected = get(name);
    assertThat(found.getShape()).as(name).isEqualTo(expected.getShape());
    float[] wanted = expected.toFloatArray();
    float[] got = found.toFloatArray();
    double worst = Double.NEGATIVE_INFINITY;
    double largest = 0;
    int at = 0;
    for (int i = 0; i < got.length; i++) {
      double difference = Math.abs((double) got[i] - wanted[i]);
      double excess = difference - tolerance.atol() - tolerance.rtol() * Math.abs(wanted[i]);
      if (!(excess <= worst)) {
        worst = excess;
        at = i;
      }
      largest = Math.max(largest, difference);
    }
    if (Boolean.getBoolean("jit.parity.report")) {
      System.out.printf("%-60s %s: largest difference %.2e%n", file, name, largest);
    }
    assertThat(worst)
        .as(
            "%s in %s, element %d: expected %s, found %s; largest difference %s",
            name, file, at, wanted[at], got[at], largest)
        .isLessThanOrEqualTo(0);
  }
}
