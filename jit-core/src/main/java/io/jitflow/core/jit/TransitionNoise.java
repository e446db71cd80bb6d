package io.jitflow.core.jit;

/** The noise eps in the targets of joining tokens. */
public enum TransitionNoise {
  /**
   * Fresh Gaussian noise, as in the paper and in the authors' release: the request's transition
   * noise, or the initial noise if the request has none.
   */
  FRESH,
  /**
   * The initial noise again: joining tokens continue on the noise from which they set out, which
   * keeps the result closer to that of a full sampler from the same noise.
   */
  INITIAL
}
