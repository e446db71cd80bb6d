package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.flux.network.ClipParity;
import io.jitflow.flux.network.T5Parity;
import io.jitflow.flux.network.TransformerParity;
import io.jitflow.flux.network.VaeParity;
import io.jitflow.flux.tokenizer.TokenizerParity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Everything that the reference implementations recorded, one factory per kind of set, from files
 * to results. Further folders of the same format come from the system property {@code jit.parity}.
 */
class FluxParityTest {
  private static final List<String> KINDS =
      List.of(
          "transformer",
          "vae",
          "clip_text_model",
          "t5_encoder",
          "tokenizer",
          "schedule",
          "editing",
          "noise",
          "pipeline");

  @TempDir Path scratch;

  /** A set that no factory takes would be passed over in silence. */
  @Test
  void sets_areAllOfAKindThatIsCompared() {
    assertThat(ParitySet.all())
        .isNotEmpty()
        .allSatisfy(set -> assertThat(set.kind()).as(set.title()).isIn(KINDS));
  }

  @TestFactory
  List<DynamicNode> transformer_recordedCases_match() throws IOException {
    return each("transformer", set -> TransformerParity.tests(set, scratch).toList());
  }

  @TestFactory
  List<DynamicNode> vae_recordedCases_match() throws IOException {
    return each("vae", set -> VaeParity.tests(set, scratch).toList());
  }

  @TestFactory
  List<DynamicNode> clip_recordedCases_match() throws IOException {
    return each("clip_text_model", set -> ClipParity.tests(set, scratch).toList());
  }

  @TestFactory
  List<DynamicNode> t5_recordedCases_match() throws IOException {
    return each("t5_encoder", set -> T5Parity.tests(set, scratch).toList());
  }

  @TestFactory
  List<DynamicNode> tokenizers_recordedTexts_match() throws IOException {
    return each(
        "tokenizer",
        set ->
            TokenizerParity.tests(set.folder(), Files.createTempDirectory(scratch, "tokenizers"))
                .toList());
  }

  @TestFactory
  List<DynamicNode> schedule_recordedSigmas_match() throws IOException {
    return each("schedule", ScheduleParity::tests);
  }

  @TestFactory
  List<DynamicNode> noise_recordedDraws_match() throws IOException {
    return each("noise", NoiseParity::tests);
  }

  @TestFactory
  List<DynamicNode> pipeline_recordedRuns_match() throws IOException {
    return each("pipeline", set -> PipelineParity.tests(set, scratch));
  }

  @TestFactory
  List<DynamicNode> editing_recordedRuns_match() throws IOException {
    return each("editing", set -> EditingParity.tests(set, scratch));
  }

  private interface Tests {
    List<DynamicNode> of(ParitySet set) throws IOException;
  }

  private static List<DynamicNode> each(String kind, Tests tests) throws IOException {
    List<DynamicNode> nodes = new ArrayList<>();
    for (ParitySet set : ParitySet.ofKind(kind).toList()) {
      List<DynamicNode> ofSet = tests.of(set);
      assertThat(ofSet).as("recordings in %s", set.folder()).isNotEmpty();
      nodes.addAll(ofSet);
    }
    assertThat(nodes).as("recordings of kind %s", kind).isNotEmpty();
    return nodes;
  }
}
