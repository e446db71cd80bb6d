package io.jitflow.core;

/** How a sampler steps from one noise level to the next; {@link Trajectory} derives both. */
public enum Solver {
  /** Euler's rule {@code y += h v}, of first order. */
  EULER,
  /**
   * The two-step rule of Adams and Bashforth for steps of any size, of second order at the same
   * cost: one model evaluation a step, and one array of the active tokens more.
   */
  ADAMS_BASHFORTH_2
}
