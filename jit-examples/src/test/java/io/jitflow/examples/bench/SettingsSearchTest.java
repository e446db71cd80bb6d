package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsSearchTest {

  @ParameterizedTest
  @ValueSource(ints = {7, 10, 13})
  void settings_holdThePresetAndCostWhatTheyMay(int speedup) {
    List<JitConfig> settings = SettingsSearch.settings(speedup, 0.89);
    assertThat(settings).contains(JitConfig.forSpeedup(speedup)).doesNotHaveDuplicates();
    // 20 x 20 tokens, of which every density is a whole number
    assertThat(settings.stream().limit(40))
        .allSatisfy(
            config ->
                assertThat(ExactBenchmark.cost(new TokenGrid(20, 20), new JitSampler(config)))
                    .isBetween(45.0 / speedup - 1e-6, 50.0 / speedup + 1e-6));
    assertThat(SettingsSearch.settings(speedup, 0)).hasSizeGreaterThan(settings.size());
  }

  @Test
  void settings_fromTheLeastSpeedupOn_areThere() {
    assertThat(SettingsSearch.settings(SettingsSearch.LEAST_SPEEDUP - 1, 0)).isEmpty();
    for (int speedup = SettingsSearch.LEAST_SPEEDUP; speedup <= 14; speedup++) {
      assertThat(SettingsSearch.settings(speedup, 0.89)).as("%dx", speedup).isNotEmpty();
    }
  }

  /** Else the preset would be printed as the best of one. */
  @Test
  void run_withNothingToTry_isRefused() {
    StringWriter text = new StringWriter();
    SettingsSearch.Scope scope = new SettingsSearch.Scope(List.of(new TokenGrid(8, 8)), 0, 2);
    assertThatThrownBy(() -> SettingsSearch.run(new PrintWriter(text), List.of(13, 2), scope))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nothing to try for 2x");
    assertThat(text.toString()).isEmpty();
  }

  @Test
  void run_inSmallWorlds_printsTheBestFirstAndThePreset() {
    StringWriter text = new StringWriter();
    SettingsSearch.run(
        new PrintWriter(text),
        List.of(13),
        new SettingsSearch.Scope(List.of(new TokenGrid(8, 8), new TokenGrid(8, 10)), 0.89, 2));
    List<String> rows = text.toString().lines().filter(line -> line.startsWith("| ")).toList();
    assertThat(text.toString()).startsWith("13x, 13 settings");
    assertThat(rows.get(0)).contains("8 x 8: alpha 2", "8 x 10: alpha 2");
    assertThat(rows.stream().filter(row -> row.contains(", the preset"))).hasSize(1);
    List<Double> worst =
        rows.stream()
            .skip(1)
            .map(row -> row.split("\\|"))
            .map(c -> c[c.length - 1].strip())
            .map(Double::valueOf)
            .toList();
    assertThat(worst).hasSizeBetween(2, 3).isSorted();
    assertThat(worst.get(0)).isBetween(1.0, 1.5);
  }
}
