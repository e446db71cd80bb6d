package io.jitflow.flux.fuzz;

import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.tokenizer.TokenizerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** T5's tokenizer: {@code tokenizer.json}; native code reads it, in another process. */
class T5TokenizerFuzzTest extends ForeignFile {
  @Override
  Path file() {
    return scratch.resolve("tokenizer.json");
  }

  @Override
  void read() throws IOException {
    TokenizerProcess.shared().load(false, scratch);
  }

  @Override
  byte[] whole() throws IOException {
    return Files.readAllBytes(Fixtures.folder("parity/tokenizers/t5/tokenizer.json"));
  }

  @Override
  int head() {
    return 4000;
  }

  @Override
  int rounds() {
    return super.rounds() / 3;
  }
}
