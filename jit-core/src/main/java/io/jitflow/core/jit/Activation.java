package io.jitflow.core.jit;

/** Which inactive tokens join at a stage boundary. */
public enum Activation {
  /** The most important ones: importance-guided token activation, ITA (paper, section on ITA). */
  IMPORTANCE,
  /** An even spread, whatever the image: the paper's ablation "fixed grid". */
  EVEN_SPREAD
}
