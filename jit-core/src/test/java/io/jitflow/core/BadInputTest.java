package io.jitflow.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitConfig.StageRules;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.Stage;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.WaveModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a sampler refuses from models and requests. Arrays: {@link SamplingRequestTest}. */
class BadInputTest extends ArrayTest {
  private static final TokenGrid GRID = new TokenGrid(5, 6);
  private static final JitConfig JIT =
      JitConfig.of(6, new Stage(0.34, 0.4), new Stage(0.67, 0.7), new Stage(1, 1));
  private static final VelocityModel WAVES = new WaveModel();

  private SamplingRequest request;

  @BeforeEach
  void open() {
    request = SamplingRequest.seeded(manager, GRID, 4, 1, 2);
  }

  static Stream<Sampler> samplers() {
    return Stream.of(
        new EulerSampler(SigmaSchedule.linear(), 6),
        new JitSampler(JIT),
        new PlainSampler(SigmaSchedule.linear(), 6, Solver.ADAMS_BASHFORTH_2),
        new JitSampler(JIT.withSolver(Solver.ADAMS_BASHFORTH_2)));
  }

  /** Replaces the model's result at one step. */
  private static VelocityModel at(int step, VelocityModel replacement) {
    AtomicInteger next = new AtomicInteger();
    return (tokens, at, sigma) ->
        (next.getAndIncrement() == step ? replacement : WAVES).velocity(tokens, at, sigma);
  }

  private void assertFails(Sampler sampler, VelocityModel model, String... parts) {
    assertThatThrownBy(() -> sampler.sample(model, request))
        .isInstanceOf(ModelOutputException.class)
        .hasMessageContainingAll(parts);
  }

  private void assertClosed(Sampler sampler, String... parts) {
    assertThatThrownBy(() -> sampler.sample(WAVES, request))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContainingAll(parts);
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_withoutAModel_isRefused(Sampler sampler) {
    assertThatThrownBy(() -> sampler.sample(null, request))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("model");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelReturningNull_failsNamingTheStep(Sampler sampler) {
    assertFails(sampler, at(3, (tokens, at, sigma) -> null), "null", "step 3 of 6 (sigma ");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelReturningAnotherShape_failsWithBothShapes(Sampler sampler) {
    assertFails(
        sampler,
        at(5, (tokens, at, sigma) -> tokens.get(":, 1:")),
        "(2, 30, 4) FLOAT32",
        "(2, 29, 4) FLOAT32",
        "step 5 of 6");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelReturningAnotherType_failsWithBothTypes(Sampler sampler) {
    assertFails(
        sampler,
        at(5, (tokens, at, sigma) -> tokens.toType(DataType.FLOAT64, true)),
        "(2, 30, 4) FLOAT32",
        "(2, 30, 4) FLOAT64",
        "step 5 of 6");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelReturningAClosedArray_failsNamingTheStep(Sampler sampler) {
    VelocityModel closing =
        (tokens, at, sigma) -> {
          NDArray velocity = tokens.mul(2);
          velocity.close();
          return velocity;
        };
    assertFails(sampler, at(1, closing), "closed", "step 1 of 6");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelReturningNaN_failsNamingTheStepAndTheCount(Sampler sampler) {
    VelocityModel bad =
        (tokens, at, sigma) -> {
          NDArray velocity = tokens.duplicate();
          velocity.set(new NDIndex("1, 2, 3"), Float.NaN);
          return velocity;
        };
    assertFails(sampler, at(4, bad), "1 NaN and 0 infinite of 240", "step 4 of 6 (sigma ");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelReturningInfinity_failsNamingTheStepAndTheCount(Sampler sampler) {
    VelocityModel bad = (tokens, at, sigma) -> tokens.div(0f);
    assertFails(sampler, at(4, bad), "0 NaN and 240 infinite of 240", "step 4 of 6");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_noiseWithNaN_failsSayingThatTheTokensHadIt(Sampler sampler) {
    request.noise().set(new NDIndex(":, :, 3"), Float.NaN);
    assertFails(sampler, WAVES, "tokens it was given already had", "check noise", "step 0 of 6");
  }

  @Test
  void sample_velocitiesWhoseSumOverflows_areAccepted() {
    Sampler sampler = new EulerSampler(SigmaSchedule.linear(), 1);
    NDArray latents = sampler.sample((tokens, at, sigma) -> tokens.onesLike().muli(3e38f), request);
    assertThat(latents.toFloatArray()).containsOnly(-3e38f);
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelThatThrows_passesItsExceptionOn(Sampler sampler) {
    IllegalCallerException thrown = new IllegalCallerException("from the model");
    VelocityModel throwing =
        (tokens, at, sigma) -> {
          throw thrown;
        };
    assertThatThrownBy(() -> sampler.sample(at(2, throwing), request)).isSameAs(thrown);
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_noiseClosedSinceTheRequest_isRefused(Sampler sampler) {
    request.noise().close();
    assertClosed(sampler, "noise is closed");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_transitionNoiseClosedSinceTheRequest_isRefused(Sampler sampler) {
    request.transitionNoise().orElseThrow().close();
    assertClosed(sampler, "transition noise is closed");
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_managerClosedSinceTheRequest_isRefused(Sampler sampler) {
    manager.close();
    assertClosed(sampler, "noise is closed", "manager");
  }

  @Test
  void sample_customScheduleForOtherSteps_isRefusedWithBoth() {
    assertThatThrownBy(
            () -> new EulerSampler(SigmaSchedule.custom(1, 0.5, 0), 6).sample(WAVES, request))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("serves 2 steps, but 6");
  }

  @Test
  void eulerSampler_withoutASchedule_isRefused() {
    assertThatThrownBy(() -> new EulerSampler(null, 6)).isInstanceOf(NullPointerException.class);
  }

  @Test
  void eulerSampler_withoutAStep_isRefused() {
    assertThatThrownBy(() -> new EulerSampler(SigmaSchedule.linear(), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 0");
  }

  @Test
  void jitSampler_withoutSettings_isRefused() {
    assertThatThrownBy(() -> new JitSampler(null)).isInstanceOf(NullPointerException.class);
  }

  private static TokenSubset first(int count) {
    return TokenSubset.of(GRID, IntStream.range(0, count).toArray());
  }

  private void assertAnchorsRefused(String part, TokenSubset... stages) {
    AtomicInteger evaluations = new AtomicInteger();
    VelocityModel counting =
        (tokens, at, sigma) -> {
          evaluations.incrementAndGet();
          return WAVES.velocity(tokens, at, sigma);
        };
    Sampler sampler = samplers().skip(1).findFirst().orElseThrow();
    assertThatThrownBy(() -> sampler.sample(counting, request.withAnchors(stages)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(part);
    assertThat(evaluations).as("before the first step").hasValue(0);
  }

  @Test
  void sample_moreAnchorsThanTheNextStageHas_isRefusedBeforeTheFirstStep() {
    assertAnchorsRefused("stage 1 has 21 tokens after 25", first(25));
  }

  @Test
  void sample_lastStageWithoutEveryToken_isRefusedBeforeTheFirstStep() {
    assertAnchorsRefused("25 of 30 tokens", first(5), first(10), first(25));
  }

  @Test
  void sample_anchorsForMoreStagesThanThereAre_isRefusedBeforeTheFirstStep() {
    assertAnchorsRefused("the 3 of the settings", first(5), first(10), first(30), first(30));
  }

  @Test
  void sample_underTheReleasesRules_leavesTokensOutOfTheLastStage() {
    JitConfig config =
        JitConfig.of(2, new Stage(0.5, 0.4), new Stage(1, 1))
            .withStageRules(StageRules.AS_RELEASED);
    SamplingRequest given = request.withAnchors(first(5), first(25));
    NDArray latents = new JitSampler(config).sample(WAVES, given);
    assertThat(latents.getShape()).isEqualTo(request.noise().getShape());
    // every token moves in the first stage, those left out stand still in the second
    assertThat(latents.get("0, 25:").toFloatArray())
        .isNotEqualTo(request.noise().get("0, 25:").toFloatArray());
    Sampler second = new JitSampler(config.withSolver(Solver.ADAMS_BASHFORTH_2));
    assertThatThrownBy(() -> second.sample(WAVES, given))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("last stage of every token");
  }

  @Test
  void sample_underTheReleasesRulesWithAnEmptyLastStage_leavesNoTokenAtItsNoise() {
    JitConfig config =
        JitConfig.of(2, new Stage(0.5, 0.4), new Stage(1, 1))
            .withStageRules(StageRules.AS_RELEASED)
            .withStages(new Stage(1, 0.4), new Stage(1, 1));
    float[] latents = new JitSampler(config).sample(WAVES, request).toFloatArray();
    float[] noise = request.noise().toFloatArray();
    for (int i = 0; i < noise.length; i++) {
      assertThat(latents[i]).as("value " + i).isNotEqualTo(noise[i]);
    }
  }

  @Test
  void sample_freshNoiseWithoutTransitionNoise_isRefusedWithWhatToDo() {
    Sampler fresh = new JitSampler(JIT.withTransitionNoise(TransitionNoise.FRESH));
    assertThatThrownBy(() -> fresh.sample(WAVES, request.noise(), GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("SamplingRequest.seeded", "TransitionNoise.INITIAL");
  }
}
