package io.jitflow.flux;

import io.jitflow.flux.network.TransformerParity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything that the reference implementations recorded, one factory per kind of set. Further
 * folders of the same format come from the system property {@code jit.parity}.
 */
class FluxParityTest {
  @TempDir Path scratch;

  @TestFactory
  Stream<DynamicNode> transformer_recordedCases_match() throws IOException {
    return ParitySet.ofKind("transformer").stream()
        .flatMap(set -> TransformerParity.tests(set, scratch));
  }
}
