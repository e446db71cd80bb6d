package io.jitflow.core.jit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.jit.JitConfig.Activation;
import io.jitflow.core.jit.JitConfig.BlurWidth;
import io.jitflow.core.jit.JitConfig.FirstAnchors;
import io.jitflow.core.jit.JitConfig.ImportanceBorder;
import io.jitflow.core.jit.JitConfig.MicroFlow;
import io.jitflow.core.jit.JitConfig.StageRules;
import io.jitflow.core.jit.JitConfig.TiedAnchors;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.token.TokenGrid;
import java.util.stream.IntStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class JitConfigTest {
  private static final TokenGrid GRID = new TokenGrid(64, 64);

  private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
      ThrowingCallable call) {
    return assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
  }

  private static int[] stepsPerStage(JitConfig config) {
    StagePlan plan = config.plan(GRID);
    int[] steps = new int[plan.stages()];
    IntStream.range(0, plan.steps()).forEach(i -> steps[plan.stageOf(i)]++);
    return steps;
  }

  @Test
  void preset_default4x_has7And4And7Steps() {
    JitConfig config = JitConfig.preset("default_4x");
    assertThat(config).isEqualTo(JitConfig.default4x());
    assertThat(stepsPerStage(config)).containsExactly(7, 4, 7);
    StagePlan plan = config.plan(GRID);
    assertThat(plan.activeTokens(0)).isEqualTo(1433);
    assertThat(plan.activeTokens(1)).isEqualTo(2539);
    assertThat(plan.activeTokens(2)).isEqualTo(4096);
  }

  @Test
  void preset_default7x_has4And3And4Steps() {
    JitConfig config = JitConfig.preset("default_7x");
    assertThat(config).isEqualTo(JitConfig.default7x());
    assertThat(stepsPerStage(config)).containsExactly(4, 3, 4);
    StagePlan plan = config.plan(GRID);
    assertThat(plan.activeTokens(0)).isEqualTo(1310);
    assertThat(plan.activeTokens(1)).isEqualTo(2457);
    assertThat(IntStream.range(0, 11).filter(plan::endsStage)).containsExactly(3, 6);
  }

  @Test
  void preset_ofAnotherName_isRefusedWithTheNames() {
    assertRefused(() -> JitConfig.preset("default_9x"))
        .hasMessageContaining("default_9x")
        .hasMessageContaining("default_4x, default_7x");
  }

  @Test
  void asReleased_ofAPreset_changesItsDeparturesAndTheSolver() {
    JitConfig paper = JitConfig.default7x();
    assertThat(paper.withSolver(Solver.ADAMS_BASHFORTH_2).asReleased())
        .isEqualTo(
            paper
                .withSchedule(SigmaSchedule.beta(1.4, 0.425))
                .withImportanceBorder(ImportanceBorder.ZERO_PADDED)
                .withBlurWidth(BlurWidth.CLIPPED)
                .withTiedAnchors(TiedAnchors.FIRST_IN_LIST)
                .withMicroFlow(MicroFlow.partial(3))
                .withTransitionNoise(TransitionNoise.FRESH));
  }

  @Test
  void forSpeedup_ofEverySpeedup_savesAsMuchAndNeverLessThanASmallerOne() {
    double before = 50;
    for (double speedup = 2; speedup <= 14; speedup += 0.25) {
      JitConfig config = JitConfig.forSpeedup(speedup);
      StagePlan plan = config.plan(new TokenGrid(64, 64));
      double cost = 0;
      for (int i = 0; i < plan.steps(); i++) {
        cost += plan.activeTokens(plan.stageOf(i)) / 4096.0;
      }
      assertThat(cost).as("speed-up " + speedup).isBetween(3.0, 50 / speedup);
      assertThat(cost).isLessThanOrEqualTo(before);
      assertThat(stepsPerStage(config)[0]).isGreaterThanOrEqualTo(2);
      assertThat(config.solver()).isEqualTo(Solver.ADAMS_BASHFORTH_2);
      assertThat(config.transitionNoise()).isEqualTo(TransitionNoise.INITIAL);
      before = cost;
    }
    assertThat(stepsPerStage(JitConfig.forSpeedup(7))).containsExactly(2, 2, 5);
    assertThat(stepsPerStage(JitConfig.forSpeedup(10))).containsExactly(2, 1, 1, 3);
    assertThat(JitConfig.preset("second_order_7x")).isEqualTo(JitConfig.forSpeedup(7));
  }

  @Test
  void ofSteps_ofThePaper_takesAsManyStepsInEachStage() {
    int[] steps = {4, 3, 4};
    JitConfig config = JitConfig.ofSteps(steps, 0.32, 0.6, 1);
    assertThat(stepsPerStage(config)).containsExactly(4, 3, 4);
    assertThat(config.withStages(JitConfig.default7x().stages().toArray(Stage[]::new)))
        .isEqualTo(JitConfig.default7x());
    assertRefused(() -> JitConfig.ofSteps(steps, 0.32, 1))
        .hasMessageContaining("steps and its density, got 3 and 2");
  }

  @Test
  void forSpeedup_outOfRange_isRefusedWithTheRange() {
    assertRefused(() -> JitConfig.forSpeedup(1.9)).hasMessageContaining("from 2.0 to 14.0");
    assertRefused(() -> JitConfig.forSpeedup(14.1)).hasMessageContaining("got 14.1");
    assertRefused(() -> JitConfig.forSpeedup(Double.NaN)).hasMessageContaining("NaN");
  }

  @Test
  void with_everySetting_changesThatOneOnly() {
    JitConfig config = JitConfig.default7x();
    assertThat(config.solver()).isEqualTo(Solver.EULER);
    Stage[] stages = {new Stage(0.5, 0.25), new Stage(1, 1)};
    JitConfig changed =
        config
            .withSteps(9)
            .withStages(stages)
            .withFirstAnchors(FirstAnchors.EVEN_SPREAD)
            .withActivation(Activation.EVEN_SPREAD)
            .withImportanceBorder(ImportanceBorder.ZERO_PADDED)
            .withBlurWidth(BlurWidth.CLIPPED)
            .withTiedAnchors(TiedAnchors.FIRST_IN_LIST)
            .withMicroFlow(MicroFlow.partial(2))
            .withTransitionNoise(TransitionNoise.FRESH)
            .withStageRules(StageRules.AS_RELEASED)
            .withSchedule(SigmaSchedule.linear());
    assertThat(changed.steps()).isEqualTo(9);
    assertThat(changed.stages()).containsExactly(stages);
    assertThat(changed.schedule()).isEqualTo(SigmaSchedule.linear());
    assertThat(changed.solver()).isEqualTo(Solver.EULER);
    assertThat(changed.firstAnchors()).isEqualTo(FirstAnchors.EVEN_SPREAD);
    assertThat(changed.activation()).isEqualTo(Activation.EVEN_SPREAD);
    assertThat(changed.importanceBorder()).isEqualTo(ImportanceBorder.ZERO_PADDED);
    assertThat(changed.blurWidth()).isEqualTo(BlurWidth.CLIPPED);
    assertThat(changed.tiedAnchors()).isEqualTo(TiedAnchors.FIRST_IN_LIST);
    assertThat(changed.microFlow()).isEqualTo(MicroFlow.partial(2));
    assertThat(changed.transitionNoise()).isEqualTo(TransitionNoise.FRESH);
    assertThat(changed.stageRules()).isEqualTo(StageRules.AS_RELEASED);
    assertThat(changed).isNotEqualTo(config).hasSameHashCodeAs(changed.withSteps(9));
    assertThat(changed.withSteps(9)).isEqualTo(changed);
    assertThat(config).isEqualTo(JitConfig.default7x());
  }

  @Test
  void withSolver_secondOrderAndPartialMicroFlow_isRefusedEitherWay() {
    JitConfig second = JitConfig.default7x().withSolver(Solver.ADAMS_BASHFORTH_2);
    assertRefused(() -> second.withMicroFlow(MicroFlow.partial(3)))
        .hasMessageContaining("MicroFlow.exact()")
        .hasMessageContaining("relaxSteps=3");
    JitConfig partial = JitConfig.default7x().withMicroFlow(MicroFlow.partial(3));
    assertRefused(() -> partial.withSolver(Solver.ADAMS_BASHFORTH_2))
        .hasMessageContaining("Solver.EULER");
  }

  @Test
  void withSolver_secondOrderAndALastStageOfSomeTokens_isRefusedEitherWay() {
    JitConfig lenient = JitConfig.default7x().withStageRules(StageRules.AS_RELEASED);
    Stage[] some = {new Stage(0.5, 0.4), new Stage(1, 0.9)};
    Stage[] emptyLast = {new Stage(1, 0.4), new Stage(1, 1)};
    JitConfig second = lenient.withSolver(Solver.ADAMS_BASHFORTH_2);
    assertRefused(() -> second.withStages(some)).hasMessageContaining("density 1, got 0.9");
    assertRefused(() -> second.withStages(emptyLast)).hasMessageContaining("density 1, got 0.4");
    JitConfig euler = lenient.withStages(some);
    assertRefused(() -> euler.withSolver(Solver.ADAMS_BASHFORTH_2))
        .hasMessageContaining("last stage of every token");
  }

  @Test
  void ofSteps_aStageWithoutAStep_isRefusedWithIt() {
    assertRefused(() -> JitConfig.ofSteps(new int[] {2, 0, 3}, 0.3, 0.6, 1))
        .hasMessageContaining("stage 1 needs at least 1 step, got 0");
    assertRefused(() -> JitConfig.ofSteps(new int[] {-2, 5}, 0.3, 1))
        .hasMessageContaining("stage 0 needs at least 1 step, got -2");
  }

  @Test
  void of_threeStepsWithThePresetEnds_isRefusedBecauseOneStageIsEmpty() {
    assertRefused(
            () -> JitConfig.of(3, new Stage(0.4, 0.32), new Stage(0.65, 0.6), new Stage(1, 1)))
        .hasMessageContaining("stage 1 of 3 gets no step")
        .hasMessageContaining("3 steps are split [1, 0, 2]");
  }

  @Test
  void of_finalDensityBelowOne_isRefusedWithIt() {
    assertRefused(() -> JitConfig.of(4, new Stage(0.5, 0.3), new Stage(1, 0.9)))
        .hasMessageContaining("density 1, got 0.9");
  }

  @Test
  void of_lastEndBelowOne_isRefusedWithIt() {
    assertRefused(() -> JitConfig.of(10, new Stage(0.5, 0.3), new Stage(0.9, 1)))
        .hasMessageContaining("end at 1, got 0.9");
  }

  @Test
  void of_densitiesThatDoNotRise_isRefusedWithBoth() {
    assertRefused(() -> JitConfig.of(9, new Stage(0.3, 0.5), new Stage(0.6, 0.5), new Stage(1, 1)))
        .hasMessageContaining("stage 1 has density 0.5 after 0.5");
    assertRefused(() -> JitConfig.of(9, new Stage(0.3, 0.5), new Stage(0.6, 0.4), new Stage(1, 1)))
        .hasMessageContaining("stage 1 has density 0.4 after 0.5");
  }

  @Test
  void of_endsThatDoNotRise_isRefusedWithBoth() {
    assertRefused(() -> JitConfig.of(9, new Stage(0.6, 0.3), new Stage(0.5, 0.5), new Stage(1, 1)))
        .hasMessageContaining("stage 1 ends at 0.5 after 0.6");
  }

  @Test
  void of_noStageOrNoStep_isRefused() {
    assertRefused(() -> JitConfig.of(3)).hasMessageContaining("at least one stage");
    assertRefused(() -> JitConfig.of(0, new Stage(1, 1))).hasMessageContaining("got 0");
  }

  @Test
  void stage_outsideItsRange_isRefusedWithTheNumber() {
    assertRefused(() -> new Stage(0, 1)).hasMessageContaining("got 0.0");
    assertRefused(() -> new Stage(1.5, 1)).hasMessageContaining("got 1.5");
    assertRefused(() -> new Stage(1, Double.NaN)).hasMessageContaining("NaN");
    assertRefused(() -> new Stage(1, -0.25)).hasMessageContaining("-0.25");
  }

  @Test
  void plan_withFewerAnchorsThanOne_isRefusedWithTheNumbers() {
    assertRefused(() -> JitConfig.default7x().plan(new TokenGrid(1, 3)))
        .hasMessageContaining("stage 0 has density 0.32")
        .hasMessageContaining("1 x 3")
        .hasMessageContaining("3 tokens");
  }

  @Test
  void plan_whereAStageAddsNoToken_isRefusedWithTheNumbers() {
    JitConfig config = JitConfig.of(9, new Stage(0.3, 0.5), new Stage(0.6, 0.55), new Stage(1, 1));
    assertRefused(() -> config.plan(new TokenGrid(2, 4)))
        .hasMessageContaining("stages 0 and 1")
        .hasMessageContaining("4 and 4 of 8 tokens");
  }

  @Test
  void plan_underTheReleasesRules_acceptsWhatTheReleaseAccepts() {
    StagePlan plan =
        JitConfig.default7x()
            .withStageRules(StageRules.AS_RELEASED)
            .withSteps(4)
            .withStages(new Stage(0.5, 0.3), new Stage(1, 0.9))
            .plan(new TokenGrid(2, 5));
    assertThat(plan.activeTokens(1)).isEqualTo(9);
  }

  @Test
  void plan_ofFiveStages_numbersThemInRunningOrder() {
    StagePlan plan =
        JitConfig.of(
                10,
                new Stage(0.2, 0.1),
                new Stage(0.4, 0.2),
                new Stage(0.6, 0.4),
                new Stage(0.8, 0.8),
                new Stage(1, 1))
            .plan(GRID);
    assertThat(IntStream.range(0, 10).map(plan::stageOf))
        .containsExactly(0, 0, 1, 1, 2, 2, 3, 3, 4, 4);
  }
}
