package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.flux.network.ClipParity;
import io.jitflow.flux.network.T5Parity;
import io.jitflow.flux.network.TransformerParity;
import io.jitflow.flux.network.VaeParity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Sets of single networks whose widths fit no other's stand alone, as {@link FluxParityTest}'s. */
class WiderParityTest {
  @TempDir static Path scratch;
  private static Path sets;

  @BeforeAll
  static void write() throws IOException {
    sets = WiderParity.write(scratch.resolve("sets"));
  }

  @TestFactory
  List<DynamicNode> network_ofOtherWidths_matchesAlone() throws IOException {
    List<DynamicNode> nodes = new ArrayList<>();
    Path work = Files.createDirectory(scratch.resolve("work"));
    nodes.addAll(TransformerParity.tests(set("wide-transformer"), work).toList());
    nodes.addAll(VaeParity.tests(set("wide-vae"), work).toList());
    nodes.addAll(ClipParity.tests(set("wide-clip"), work).toList());
    nodes.addAll(T5Parity.tests(set("wide-t5"), work).toList());
    assertThat(nodes).hasSize(4 + 1 + 3 + 3);
    return nodes;
  }

  private static ParitySet set(String name) {
    return ParitySet.of(sets.resolve(name));
  }
}
