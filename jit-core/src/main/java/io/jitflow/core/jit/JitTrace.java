package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.token.TokenSubset;

/** Sees the intermediate values of a run, so that tests can compare them. Borrows every array. */
interface JitTrace {
  JitTrace NONE =
      new JitTrace() {
        @Override
        public boolean readsEveryToken() {
          return false;
        }
      };

  /** Whether Euler's rule shall move tokens that nothing else reads. */
  default boolean readsEveryToken() {
    return true;
  }

  /** After step i: the velocity along which the state moved, and the new state [B, N, d]. */
  default void step(int i, NDArray velocity, NDArray state) {}

  /**
   * After the transition before step i: the tokens of the next stage in list order, the joining
   * rows of [B * N, d], the lifted clean estimate [B, N, d], the targets of the joining rows, the
   * new state.
   */
  default void transition(
      int i, TokenSubset next, long[] joining, NDArray clean, NDArray target, NDArray state) {}
}
