package io.jitflow.examples.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;

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

  /**
   * Returns what of the resident memory is no page of a file, in bytes: the system cannot drop it.
   */
  public static OptionalLong anonymous() {
    try {
      return OptionalLong.of(read("RssAnon"));
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  /** Starts to look at {@link #anonymous} a hundred times a second. */
  public static Watch watch() {
    return new Watch();
  }

  /** A thread that looks at this process's memory. */
  public static final class Watch implements AutoCloseable {
    private static final long INTERVAL_MILLIS = 10;

    private final Thread thread = new Thread(this::look, "memory-watch");
    private volatile boolean closed;
    private volatile long peak;

    private Watch() {
      thread.setDaemon(true);
      thread.start();
    }

    private void look() {
      while (!closed) {
        peak = Math.max(peak, anonymous().orElse(0));
        LockSupport.parkNanos(INTERVAL_MILLIS * 1_000_000);
      }
    }

    /** The largest value seen, in bytes. */
    public long peakAnonymous() {
      return peak;
    }

    @Override
    public void close() {
      closed = true;
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
