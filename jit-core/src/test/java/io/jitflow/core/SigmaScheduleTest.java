package io.jitflow.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Fixtures;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Recordings: {@code src-test-fixtures/parity/schedule}, from diffusers, BFL's flux and scipy. */
class SigmaScheduleTest {
  private static final SigmaSchedule FLUX_SHIFT =
      new SigmaSchedule.DynamicShift(0.5, 1.15, 256, 4096);
  private static final double SIGMA = 1e-6;

  @TestFactory
  Stream<DynamicTest> sigmas_ofTheRecordedSchedules_equalThem() {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path folder : Fixtures.cases("parity", "jit.parity")) {
      JsonObject json = Fixtures.json(folder.resolve("case.json")).getAsJsonObject();
      if (!"schedule".equals(Fixtures.kind(json))) {
        continue;
      }
      if (json.has("flow_match")) {
        Fixtures.objects(json.get("flow_match")).stream().map(this::flowMatch).forEach(tests::add);
      }
      if (json.has("beta")) {
        Fixtures.objects(json.get("beta")).stream().map(this::beta).forEach(tests::add);
      }
    }
    assertThat(tests).hasSizeGreaterThan(10);
    return tests.stream();
  }

  private DynamicTest flowMatch(JsonObject json) {
    int steps = json.get("steps").getAsInt();
    boolean shifted = json.get("kind").getAsString().equals("dev");
    int tokens = json.has("image_seq_len") ? json.get("image_seq_len").getAsInt() : 256;
    SigmaSchedule schedule = shifted ? FLUX_SHIFT : SigmaSchedule.linear();
    return DynamicTest.dynamicTest(
        "%s %d steps, %d tokens".formatted(schedule, steps, tokens),
        () -> assertSigmas(schedule.sigmas(steps, tokens), json.getAsJsonArray("sigmas")));
  }

  private DynamicTest beta(JsonObject json) {
    int steps = json.get("steps").getAsInt();
    SigmaSchedule schedule =
        SigmaSchedule.beta(json.get("alpha").getAsDouble(), json.get("beta").getAsDouble());
    return DynamicTest.dynamicTest(
        "%s %d steps".formatted(schedule, steps),
        () -> assertSigmas(schedule.sigmas(steps, 4096), json.getAsJsonArray("sigmas")));
  }

  private static void assertSigmas(double[] sigmas, JsonArray recorded) {
    assertThat(sigmas).hasSize(recorded.size());
    for (int i = 0; i < sigmas.length; i++) {
      assertThat(sigmas[i])
          .as("sigma " + i)
          .isCloseTo(recorded.get(i).getAsDouble(), within(SIGMA));
      assertThat((double) (float) sigmas[i]).as("float32").isEqualTo(sigmas[i]);
    }
  }

  @Test
  void sigmas_ofEverySchedule_strictlyDecreaseToZero() {
    for (SigmaSchedule schedule :
        List.of(
            SigmaSchedule.linear(),
            FLUX_SHIFT,
            SigmaSchedule.beta(1.4, 0.42),
            SigmaSchedule.beta(0.6, 0.6))) {
      for (int steps : new int[] {1, 2, 11, 50, 200}) {
        double[] sigmas = schedule.sigmas(steps, 4096);
        assertThat(sigmas).hasSize(steps + 1).endsWith(0);
        assertThat(sigmas[0]).isEqualTo(1);
        for (int i = 0; i < steps; i++) {
          assertThat(sigmas[i + 1]).isLessThan(sigmas[i]);
        }
      }
    }
  }

  @Test
  void sigmas_ofAVeryLargeGrid_repeatWhereFloat32CannotTellThemApart() {
    double[] sigmas = FLUX_SHIFT.sigmas(50, 320 * 320);
    assertThat(sigmas).hasSize(51).endsWith(0);
    assertThat(sigmas[1]).isEqualTo(sigmas[0]).isEqualTo(1);
    for (int i = 0; i < 50; i++) {
      assertThat(sigmas[i + 1]).isLessThanOrEqualTo(sigmas[i]);
    }
  }

  @Test
  void sigmas_ofOneBetaStep_areOneAndZero() {
    assertThat(SigmaSchedule.beta(1.4, 0.425).sigmas(1, 256)).containsExactly(1, 0);
  }

  @Test
  void mu_ofTheTokenCount_isLinearAndNotClipped() {
    SigmaSchedule.DynamicShift shift = new SigmaSchedule.DynamicShift(0.5, 1.15, 256, 4096);
    assertThat(shift.mu(256)).isCloseTo(0.5, within(1e-12));
    assertThat(shift.mu(4096)).isCloseTo(1.15, within(1e-12));
    assertThat(shift.mu(16384)).isCloseTo(3.23, within(1e-12));
  }

  @Test
  void startingAt_aLevelBetween_isRoundedToFloat32() {
    assertThat(SigmaSchedule.linear().startingAt(0.7, 2, 1).values())
        .containsExactly((double) 0.7f, 0.5, 0.0);
  }

  @Test
  void startingAt_aLevelOfItsOwn_isThatLevelAndNoOtherBesideIt() {
    // 0.3 is a little less than the float next to it, 0.9 a little more
    SigmaSchedule schedule = SigmaSchedule.custom(0.9, 0.3, 0.1, 0);
    assertThat(schedule.startingAt(0.3, 3, 1).values()).containsExactly(0.3, 0.1, 0.0);
    assertThat(schedule.startingAt(0.9, 3, 1).values()).containsExactly(0.9, 0.3, 0.1, 0.0);
  }

  @Test
  void startingAt_aScheduleThatRepeats_hasEachLevelOnce() {
    List<Double> left = FLUX_SHIFT.startingAt(1, 50, 320 * 320).values();
    assertThat(left).startsWith(1.0).endsWith(0.0).doesNotHaveDuplicates().hasSizeLessThan(51);
  }

  @Test
  void custom_decreasingValues_areReturnedAsACopy() {
    SigmaSchedule schedule = SigmaSchedule.custom(0.9, 0.25, 0);
    schedule.sigmas(2, 1)[0] = 5;
    assertThat(schedule.sigmas(2, 1)).containsExactly(0.9, 0.25, 0);
  }

  @Test
  void custom_valuesThatDoNotDecrease_areRefusedWithBoth() {
    assertThatThrownBy(() -> SigmaSchedule.custom(1, 0.5, 0.5, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("sigmas 1 and 2 are both 0.5");
    assertThatThrownBy(() -> SigmaSchedule.custom(1, 0.5, 0.6, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("sigma 2 is 0.6 after 0.5");
    assertThatThrownBy(() -> SigmaSchedule.custom(1, Double.NaN, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("sigma 1 is NaN");
  }

  @Test
  void custom_aboveOne_isRefused() {
    assertThatThrownBy(() -> SigmaSchedule.custom(1000, 500, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at most 1, got 1000.0");
    assertThatThrownBy(() -> SigmaSchedule.custom(Double.NaN, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NaN");
  }

  @Test
  void custom_notEndingAtZero_isRefused() {
    assertThatThrownBy(() -> SigmaSchedule.custom(1, 0.5, 0.1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must be 0, got 0.1");
  }

  @Test
  void custom_withoutAStep_isRefused() {
    assertThatThrownBy(() -> SigmaSchedule.custom(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 1");
  }

  @Test
  void custom_forAnotherNumberOfSteps_isRefusedWithBoth() {
    assertThatThrownBy(() -> SigmaSchedule.custom(1, 0.5, 0).sigmas(3, 256))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("serves 2 steps, but 3");
  }

  @Test
  void sigmas_ofNoStep_areRefused() {
    assertThatThrownBy(() -> SigmaSchedule.linear().sigmas(0, 256))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 0");
  }

  @Test
  void beta_ofParametersThatAreNotPositive_isRefusedWithThem() {
    assertThatThrownBy(() -> SigmaSchedule.beta(1.4, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("alpha 1.4 and beta 0.0");
    assertThatThrownBy(() -> SigmaSchedule.beta(Double.NaN, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void dynamicShift_ofTokenCountsThatDoNotRise_isRefusedWithThem() {
    assertThatThrownBy(() -> new SigmaSchedule.DynamicShift(0.5, 1.15, 4096, 256))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4096")
        .hasMessageContaining("256");
  }
}
