package io.jitflow.examples.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** The resident memory of this process, native and Java, as Linux counts it. */
public final class ProcessMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");
  private static final String RESET_PEAK = "5";

  private ProcessMemory() {}

  /** Sets the peak back to what is resident now. Returns that in bytes, or empty if it cannot. */
  public static OptionalLong resetPeak() {
    try {
      Files.writeString(CLEAR, RESET_PEAK);
      return OptionalLong.of(read("VmRSS"));
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  /** Returns the peak since {@link #resetPeak()}, in bytes. */
  public static OptionalLong peak() {
    try {
      return OptionalLong.of(read("VmHWM"));
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  private static long read(String field) throws IOException {
    for (String line : Files.readAllLines(STATUS)) {
      if (line.startsWith(field + ":")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException(STATUS + " has no field " + field);
  }
}
