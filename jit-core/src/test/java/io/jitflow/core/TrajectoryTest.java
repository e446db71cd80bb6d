package io.jitflow.core;

import static io.jitflow.core.testing.Arrays32.assertIdentical;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.WaveModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrajectoryTest extends ArrayTest {
  private static final TokenGrid ONE = new TokenGrid(1, 1);
  private static final VelocityModel WAVES = new WaveModel();

  private float last(double[] sigmas, double start, VelocityModel model) {
    NDArray noise = manager.create(new float[] {(float) start}).reshape(1, 1, 1);
    SamplingRequest request = SamplingRequest.of(noise, ONE);
    TokenSubset all = TokenSubset.all(ONE, 1);
    try (Trajectory path = new Trajectory(model, request, sigmas, Solver.ADAMS_BASHFORTH_2);
        ActiveTokens active = path.activate(all)) {
      for (int i = 0; i < path.steps(); i++) {
        try (Trajectory.Step step = path.begin(i)) {
          step.advance(step.evaluate(active));
        }
      }
      return path.finish().getFloat();
    }
  }

  private static VelocityModel ofSigma(java.util.function.DoubleUnaryOperator v) {
    return (tokens, at, sigma) ->
        tokens.getManager().full(tokens.getShape(), (float) v.applyAsDouble(sigma));
  }

  @Test
  void advance_velocityLinearInSigma_isExactOnUnevenSteps() {
    // v = 1 + 2 s: y(0) = y(1) - 2; the first step is Euler's and errs by h^2
    double[] sigmas = {1, 0.8, 0.5, 0.1, 0};
    assertThat((double) last(sigmas, 3, ofSigma(s -> 1 + 2 * s)))
        .isCloseTo(3 - 2 - 0.2 * 0.2, within(1e-6));
  }

  @Test
  void advance_stepMuchLongerThanTheOneBefore_extrapolatesSevenQuartersOfIt() {
    // after a first step of 0.1 one of 0.9: r = 9, taken as 1.75
    double first = 3 - 0.1 * 3;
    double expected = first - 0.9 * ((1 + 0.875) * (1 + 2 * 0.9) - 0.875 * 3);
    assertThat((double) last(new double[] {1, 0.9, 0}, 3, ofSigma(s -> 1 + 2 * s)))
        .isCloseTo(expected, within(1e-6));
  }

  @Test
  void advance_smoothModel_convergesWithTheSecondOrder() {
    // y' = y: y(0) = y(1) / e
    double exact = Math.exp(-1);
    double[] error = new double[2];
    for (int k = 0; k < 2; k++) {
      int steps = 40 << k;
      double[] sigmas = SigmaSchedule.linear().sigmas(steps, 1);
      error[k] = Math.abs(last(sigmas, 1, (tokens, at, sigma) -> tokens.mul(1)) - exact);
    }
    assertThat(error[0] / error[1]).isCloseTo(4, within(0.4));
  }

  @Test
  void advance_equalNoiseLevels_moveNothingAndKeepTheHistory() {
    VelocityModel model = ofSigma(s -> Math.sin(3 * s));
    float with = last(new double[] {1, 0.7, 0.7, 0.3, 0.3, 0}, 2, model);
    assertThat(with).isEqualTo(last(new double[] {1, 0.7, 0.3, 0}, 2, model));
  }

  /** What the model returns may be what it was given. */
  @Test
  void advance_modelThatReturnsItsInput_remembersItsValuesBeforeTheStep() {
    double[] sigmas = SigmaSchedule.linear().sigmas(7, 1);
    float view = last(sigmas, 2, (tokens, at, sigma) -> tokens);
    assertThat(view).isEqualTo(last(sigmas, 2, (tokens, at, sigma) -> tokens.duplicate()));
  }

  /** A model may return one array of its own again and again. */
  @Test
  void advance_modelThatReusesItsOutput_remembersAcopy() {
    double[] sigmas = SigmaSchedule.linear().sigmas(7, 1);
    NDArray output = manager.zeros(new ai.djl.ndarray.types.Shape(1, 1, 1));
    VelocityModel reusing =
        (tokens, at, sigma) -> {
          output.muli(0).addi((float) Math.cos(sigma));
          return output;
        };
    assertThat(last(sigmas, 2, reusing)).isEqualTo(last(sigmas, 2, ofSigma(Math::cos)));
  }

  @Test
  void remember_beforeTheFirstStep_countsAtTheDistanceOfThatStep() {
    NDArray noise = manager.create(new float[] {2}).reshape(1, 1, 1);
    SamplingRequest request = SamplingRequest.of(noise, ONE);
    double[] sigmas = {1, 0.6, 0};
    try (Trajectory path =
            new Trajectory(ofSigma(s -> 3), request, sigmas, Solver.ADAMS_BASHFORTH_2);
        ActiveTokens active = path.activate(TokenSubset.all(ONE, 1));
        Trajectory.Step step = path.begin(0)) {
      path.remember(manager.ones(new Shape(1, 1, 1)));
      step.advance(step.evaluate(active));
      assertThat((double) path.state().getFloat())
          .isCloseTo(2 - 0.4 * (1.5 * 3 - 0.5 * 1), within(1e-6));
    }
  }

  @Test
  void step_usedBeforeEvaluating_isRefused() {
    SamplingRequest request = SamplingRequest.seeded(manager, new TokenGrid(1, 2), 2, 1);
    NDArray ofOneToken = manager.ones(new Shape(1, 1, 2));
    try (Trajectory path = new Trajectory(WAVES, request, new double[] {1, 0}, Solver.EULER);
        Trajectory.Step step = path.begin(0)) {
      assertThatThrownBy(step::cleanEstimate)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("evaluate comes first in a step");
      assertThatThrownBy(() -> step.advance(ofOneToken))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("evaluate comes first in a step");
    }
  }

  @ParameterizedTest
  @EnumSource(Solver.class)
  void sample_aBatchInSomeTokens_movesThoseAlone(Solver solver) {
    TokenGrid grid = new TokenGrid(3, 4);
    SamplingRequest request = SamplingRequest.seeded(manager, grid, 2, 1, 2);
    TokenSubset some = TokenSubset.of(grid, new int[] {7, 1, 4}, new int[] {0, 2, 11});
    double[] sigmas = SigmaSchedule.linear().sigmas(5, 12);
    NDArray moved;
    try (Trajectory path = new Trajectory(WAVES, request, sigmas, solver);
        ActiveTokens active = path.activate(some)) {
      for (int i = 0; i < path.steps(); i++) {
        try (Trajectory.Step step = path.begin(i)) {
          step.advance(step.evaluate(active));
        }
        path.report(i, some);
      }
      moved = path.finish();
    }
    NDArray all = new PlainSampler(SigmaSchedule.linear(), 5, solver).sample(WAVES, request);
    for (int b = 0; b < 2; b++) {
      for (int token = 0; token < 12; token++) {
        boolean active = some.mask(b)[token];
        assertIdentical(
            "token " + token,
            moved.get(b).get(token),
            (active ? all : request.noise()).get(b).get(token));
      }
    }
  }

  @Test
  void plainSampler_ofEuler_isTheEulerSampler() {
    SamplingRequest request = SamplingRequest.seeded(manager, new TokenGrid(3, 4), 2, 1);
    assertIdentical(
        "latents",
        new PlainSampler(SigmaSchedule.linear(), 5, Solver.EULER).sample(WAVES, request),
        new EulerSampler(SigmaSchedule.linear(), 5).sample(WAVES, request));
  }

  /** The same numbers, but in memory one channel after the other. */
  private NDArray channelByChannel(NDArray tokens) {
    Shape shape = tokens.getShape();
    int count = (int) shape.get(1);
    int channels = (int) shape.get(2);
    float[] values = tokens.toFloatArray();
    float[] turned = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      int sample = i / (count * channels);
      int token = i / channels % count;
      turned[(sample * channels + i % channels) * count + token] = values[i];
    }
    return manager.create(turned, new Shape(shape.get(0), channels, count)).transpose(0, 2, 1);
  }

  @Test
  void sample_noiseThatIsNotContiguous_isWhatItsContiguousCopyGives() {
    TokenGrid grid = new TokenGrid(8, 10);
    NDArray noise = SamplingRequest.seeded(manager, grid, 4, 1, 2).noise();
    NDArray clean = SamplingRequest.seeded(manager, grid, 4, 3, 4).noise();
    SamplingRequest rows = SamplingRequest.of(noise, grid);
    SamplingRequest strided = SamplingRequest.of(channelByChannel(noise), grid);
    for (Sampler sampler :
        List.of(
            new EulerSampler(SigmaSchedule.linear(), 5),
            JitSampler.preset7x(),
            new JitSampler(JitConfig.default7x().withSolver(Solver.ADAMS_BASHFORTH_2)))) {
      assertIdentical(
          sampler.toString(), sampler.sample(WAVES, strided), sampler.sample(WAVES, rows));
      assertIdentical(
          sampler + " from known latents",
          sampler.sample(WAVES, strided.withKnown(channelByChannel(clean))),
          sampler.sample(WAVES, rows.withKnown(clean)));
    }
  }

  @Test
  void activate_everyTokenInAnotherOrder_evaluatesThemInGridOrder() {
    TokenGrid grid = new TokenGrid(3, 4);
    SamplingRequest request = SamplingRequest.seeded(manager, grid, 2, 1);
    TokenSubset turned = TokenSubset.of(grid, IntStream.range(0, 12).map(t -> 11 - t).toArray());
    double[] sigmas = SigmaSchedule.linear().sigmas(1, 12);
    NDArray moved;
    try (Trajectory path = new Trajectory(WAVES, request, sigmas, Solver.EULER);
        ActiveTokens active = path.activate(turned);
        Trajectory.Step step = path.begin(0)) {
      assertThat(active.subset()).isEqualTo(TokenSubset.all(grid, 1));
      step.advance(step.evaluate(active));
      moved = path.finish();
    }
    NDArray expected = new EulerSampler(SigmaSchedule.linear(), 1).sample(WAVES, request);
    assertIdentical("latents", moved, expected);
  }

  @Test
  void trajectory_levelsThatRiseOrAreNotFinite_areRefusedWithThem() {
    SamplingRequest request = SamplingRequest.seeded(manager, ONE, 2, 1);
    double[] rising = {1, 0.5, 0.6, 0};
    assertThatThrownBy(() -> new Trajectory(WAVES, request, rising, Solver.EULER))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("level 2 is 0.6 after 0.5");
    for (double bad : new double[] {Double.NaN, Double.NEGATIVE_INFINITY}) {
      double[] levels = {1, bad};
      assertThatThrownBy(() -> new Trajectory(WAVES, request, levels, Solver.EULER))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("finite");
    }
  }

  @Test
  void begin_aStepThatThereIsNot_isRefusedWithIt() {
    SamplingRequest request = SamplingRequest.seeded(manager, ONE, 2, 1);
    double[] sigmas = {1, 0.5, 0};
    try (Trajectory path = new Trajectory(WAVES, request, sigmas, Solver.EULER)) {
      assertThatThrownBy(() -> path.begin(-1))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("got -1");
      assertThatThrownBy(() -> path.begin(2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("at most 1, got 2");
    }
  }

  @Test
  void trajectory_withoutAStep_isRefused() {
    SamplingRequest request = SamplingRequest.seeded(manager, ONE, 2, 1);
    assertThatThrownBy(() -> new Trajectory(WAVES, request, new double[] {1}, Solver.EULER))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 1");
  }
}
