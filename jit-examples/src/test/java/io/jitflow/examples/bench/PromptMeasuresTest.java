package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.examples.bench.PromptMeasures.Measures;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PromptMeasuresTest {
  private static final Moments TOKENS = Moments.of(List.of(new double[] {1, 2}));

  @TempDir private Path folder;

  private static NamedSampler euler(int steps) {
    return new NamedSampler("Euler", "ours", new EulerSampler(SigmaSchedule.linear(), steps));
  }

  private static Measures measures(String settings) {
    return new Measures(
        settings, 1, 1, 1, 0, 1, 1, new double[] {1}, 0, true, TOKENS, new byte[] {1});
  }

  @Test
  void has_otherSettingsUnderTheSameName_isFalse() throws IOException {
    PromptMeasures empty = new PromptMeasures("study", new byte[] {1}, TOKENS, TOKENS, Map.of());
    Path file = folder.resolve("prompt-0.json");
    empty.with("ours", measures(euler(7).settings())).write(file);

    PromptMeasures kept = PromptMeasures.read(file, "study").orElseThrow();

    assertThat(kept.has(euler(7))).isTrue();
    assertThat(kept.has(euler(5))).isFalse();
    assertThat(kept.with("ours", measures(euler(5).settings())).has(euler(5))).isTrue();
    assertThat(empty.has(euler(7))).isFalse();
  }
}
