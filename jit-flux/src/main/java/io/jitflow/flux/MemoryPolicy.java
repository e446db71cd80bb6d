package io.jitflow.flux;

/** Which networks are in memory at the same time. */
public enum MemoryPolicy {
  /**
   * All four, from loading the pipeline until it is closed: the fastest, 34 GB for FLUX.1-dev in
   * bf16.
   */
  RESIDENT,
  /**
   * The text encoders, or the transformer, but never both: text encoders are loaded, used and freed
   * before the transformer loads, and the transformer is freed when a prompt must be encoded that
   * is not cached. Needs the memory of the larger one, 24 GB for FLUX.1-dev in bf16.
   */
  SEQUENTIAL
}
