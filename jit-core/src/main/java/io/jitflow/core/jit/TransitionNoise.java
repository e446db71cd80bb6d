package io.jitflow.core.jit;

/** The noise eps in the targets of joining tokens. */
public enum TransitionNoise {
  /**
   * Fresh Gaussian noise, as in the paper and in the authors' release: the request's transition
   * noise. A request without it is refused.
   */
  FRESH,
  /**
   * The initial noise again. With the exact micro-flow that is as good as fresh noise, in
   * distribution the same: nothing has read a joining token's initial noise before it joins. And it
   * keeps the result closer to that of a full sampler from the same noise.
   */
  INITIAL
}
