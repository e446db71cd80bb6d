package io.jitflow.flux.fuzz;

/** CLIP's tokenizer. */
class ClipTokenizerFuzzTest extends TokenizerFile {
  ClipTokenizerFuzzTest() {
    super("clip");
  }
}
