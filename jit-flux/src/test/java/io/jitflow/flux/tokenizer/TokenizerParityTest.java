package io.jitflow.flux.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class TokenizerParityTest {

  @TestFactory
  Stream<DynamicNode> ids_recordedStrings_match(@TempDir Path scratch) throws IOException {
    Path set = Path.of(System.getProperty("jit.fixtures"), "parity", "tokenizers");
    return TokenizerParity.tests(set, scratch);
  }
}
