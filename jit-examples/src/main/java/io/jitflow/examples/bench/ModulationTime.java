package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.flux.network.FluxModulation;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** What a step saves when modulation is evaluated once for all noise levels of a run. */
final class ModulationTime {
  private static final int[] LEVELS = {1, 11, 50};
  private static final int REPETITIONS = 5;

  private ModulationTime() {}

  /** Prints milliseconds per noise level, evaluated alone and with others. */
  static void print(PrintStream out, NDManager manager, FluxModulation modulation, int pooled) {
    out.printf("%nModulation, ms per noise level (CPU time):");
    try (NDManager scratch = manager.newSubManager()) {
      NDArray vec = scratch.randomNormal(new Shape(1, pooled));
      for (int levels : LEVELS) {
        double[] sigmas = new double[levels];
        for (int i = 0; i < levels; i++) {
          sigmas[i] = 1 - (double) i / levels;
        }
        List<Double> times = new ArrayList<>();
        List<Double> cpu = new ArrayList<>();
        for (int run = 0; run <= REPETITIONS; run++) {
          Stopwatch watch = new Stopwatch();
          try (NDArray rows = modulation.rows(vec, sigmas, 3.5);
              NDArray sum = rows.sum()) {
            sum.getFloat(); // waits for the device
          }
          if (run > 0) { // the first one warms up
            times.add(watch.millis() / levels);
            cpu.add(watch.cpuMillis() / levels);
          }
        }
        out.printf(
            "%s %d at once %.2f (%.2f)",
            levels == 1 ? "" : ",", levels, Amounts.median(times), Amounts.median(cpu));
      }
    }
    out.println();
  }
}
