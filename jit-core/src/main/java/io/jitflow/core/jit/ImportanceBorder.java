package io.jitflow.core.jit;

/** What the 3x3 window of the importance map sees outside the grid. */
public enum ImportanceBorder {
  /** Nothing: the window is cut off at the border. */
  INSIDE_ONLY,
  /** Zero velocity, as in the authors' release: the border looks important for no reason. */
  ZERO_PADDED
}
