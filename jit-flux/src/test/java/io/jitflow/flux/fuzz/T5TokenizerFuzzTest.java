package io.jitflow.flux.fuzz;

/** T5's tokenizer. */
class T5TokenizerFuzzTest extends TokenizerFile {
  T5TokenizerFuzzTest() {
    super("t5");
  }
}
