package io.jitflow.examples.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** Time by the clock, and the processor time of all threads, which other programs disturb less. */
final class Stopwatch {
  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private final long start = System.nanoTime();
  private final long cpuStart = SYSTEM.getProcessCpuTime();

  /** Milliseconds since it was made. */
  double millis() {
    return (System.nanoTime() - start) / 1e6;
  }

  /** Milliseconds of processor time of this process since then. */
  double cpuMillis() {
    return (SYSTEM.getProcessCpuTime() - cpuStart) / 1e6;
  }
}
