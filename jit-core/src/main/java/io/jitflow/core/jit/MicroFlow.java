package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;

/**
 * The deterministic micro-flow (DMF): how joining tokens reach their target at a stage boundary.
 *
 * <p>The target is {@code y* = (1 - sigma) Phi(x0_hat) + sigma eps}. The paper's ODE {@code dy/dt =
 * (y* - y) / (T - t)} is a straight line that hits y* at T, so {@link #exact()} assigns y*. The
 * authors' release blends once, {@code y <- (1 - 1/n) y + (1/n) y*} with n = 3, and so leaves the
 * tokens at a wrong noise level; {@link #partial(int)} does the same.
 *
 * @param relaxSteps n, at least 1; 1 is the exact solution
 */
public record MicroFlow(int relaxSteps) {
  /**
   * Checks n.
   *
   * @param relaxSteps n, at least 1; 1 is the exact solution
   * @throws IllegalArgumentException if n is below 1
   */
  public MicroFlow {
    if (relaxSteps < 1) {
      throw new IllegalArgumentException(
          "the micro-flow's n must be at least 1 (1 is the exact solution), got " + relaxSteps);
    }
  }

  /**
   * Returns the ODE's exact solution.
   *
   * @return the micro-flow that puts tokens on their target
   */
  public static MicroFlow exact() {
    return new MicroFlow(1);
  }

  /**
   * Returns the release's partial relaxation.
   *
   * @param relaxSteps the release's {@code microflow_relax_steps}; 0 counts as 1 there
   * @return the micro-flow that goes 1/n of the way
   * @throws IllegalArgumentException if n is negative
   */
  public static MicroFlow partial(int relaxSteps) {
    return new MicroFlow(relaxSteps == 0 ? 1 : relaxSteps);
  }

  /**
   * Computes the targets of joining tokens.
   *
   * @param cleanEstimate {@code Phi(x0_hat)} at the joining tokens, FLOAT32; not changed
   * @param noise eps at the same tokens, of the same shape; not changed
   * @param sigma the noise level at the boundary, in [0, 1]
   * @return y*, a new array of the first operand's manager
   */
  public NDArray target(NDArray cleanEstimate, NDArray noise, double sigma) {
    try (NDArray scaledNoise = noise.mul((float) sigma)) {
      return cleanEstimate.mul((float) (1 - sigma)).addi(scaledNoise);
    }
  }

  /**
   * Moves joining tokens towards their targets.
   *
   * @param state y at the joining tokens, FLOAT32; not changed
   * @param target y*, of the same shape; not changed
   * @return the new state of the tokens, a new array of the first operand's manager; a copy of the
   *     target if n is 1
   */
  public NDArray flow(NDArray state, NDArray target) {
    if (relaxSteps == 1) {
      NDArray reached = target.duplicate();
      reached.attach(state.getManager());
      return reached;
    }
    float share = 1f / relaxSteps;
    try (NDArray part = target.mul(share)) {
      return state.mul(1 - share).addi(part);
    }
  }
}
