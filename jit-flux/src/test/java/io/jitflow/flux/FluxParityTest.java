package io.jitflow.flux;

import io.jitflow.flux.network.TransformerParity;
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
  Stream<DynamicNode> transformer_recordedCases_match() {
    return ParitySet.ofKind("transformer").flatMap(set -> TransformerParity.tests(set, scratch));
  }
}
