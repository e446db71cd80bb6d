package io.jitflow.core.jit;

/** Which stage configurations are refused. */
public enum StageRules {
  /**
   * Every stage has at least one step and adds tokens; the last one has them all. The sensible
   * choice.
   */
  STRICT,
  /**
   * As the authors' release: densities may repeat, stages may be empty, and with a last density
   * below 1 the tokens left out stand still in the last stage.
   */
  AS_RELEASED
}
