package io.jitflow.flux.fuzz;

import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.tokenizer.TokenizerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A tokenizer: {@code tokenizer.json}; native code reads it, in another process. */
abstract class TokenizerFile extends ForeignFile {
  private final String network;

  TokenizerFile(String network) {
    this.network = network;
  }

  @Override
  Path file() {
    return scratch.resolve("tokenizer.json");
  }

  @Override
  void read() throws IOException {
    TokenizerProcess.shared().load(network.equals("clip"), scratch);
  }

  @Override
  byte[] whole() throws IOException {
    return Files.readAllBytes(Fixtures.folder("parity/tokenizers/" + network + "/tokenizer.json"));
  }

  @Override
  int rounds() {
    return super.rounds() / 3;
  }
}
