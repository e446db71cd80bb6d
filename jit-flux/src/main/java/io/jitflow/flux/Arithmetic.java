package io.jitflow.flux;

/** In which type the networks compute. Their weights may lie in the bundle in another one. */
public enum Arithmetic {
  /**
   * What is fast where the pipeline runs. On a GPU: as stored. On a CPU: weights in bfloat16 are
   * kept if its processor has units for bfloat16, which a short measurement finds out once per
   * process; all other weights are converted to float32 when they are loaded, if the memory of the
   * machine allows it.
   *
   * <p>Pixels of different types differ slightly: choose one of the others where images must be the
   * same, bit for bit, on several machines of one kind.
   */
  AUTO,
  /** In float32: weights in other types are converted when they are loaded, to twice the size. */
  FLOAT32,
  /** In the type of the weights in the bundle. */
  AS_STORED
}
