package io.jitflow.core.jit;

/**
 * The standard deviation of the lifter's Gaussian, in grid positions, from the density rho of the
 * anchors: 0.4 times the characteristic distance {@code L = rho^(-1/2)} (paper, appendix B.2).
 */
public enum BlurWidth {
  /** {@code 0.4 L}, as in the paper. */
  UNCLIPPED,
  /** {@code 0.4 L} clipped to [1, 10], as in the authors' release: 1 at the preset densities. */
  CLIPPED;

  /**
   * Returns the standard deviation.
   *
   * @param density rho, in (0, 1]
   * @return the standard deviation in grid positions, above 0
   */
  public double sigma(double density) {
    double sigma = 0.4 / Math.sqrt(density);
    return this == CLIPPED ? Math.min(10, Math.max(1, sigma)) : sigma;
  }
}
