package io.jitflow.core.jit;

import static io.jitflow.core.testing.Arrays32.assertClose;
import static io.jitflow.core.testing.Arrays32.assertIdentical;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.CancellableListener;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitConfig.Activation;
import io.jitflow.core.jit.JitConfig.MicroFlow;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.RandomAnchors;
import io.jitflow.core.testing.WaveModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class JitSamplerTest extends ArrayTest {
  private static final TokenGrid GRID = new TokenGrid(11, 14);
  private static final VelocityModel WAVES = new WaveModel();

  static Stream<JitConfig> configs() {
    return Stream.of(
        JitConfig.default7x(),
        JitConfig.default4x().asReleased(),
        JitConfig.default7x().withSolver(Solver.ADAMS_BASHFORTH_2),
        JitConfig.default7x().withActivation(Activation.EVEN_SPREAD));
  }

  private SamplingRequest request(long... seeds) {
    return SamplingRequest.seeded(manager, GRID, 6, seeds);
  }

  /** Keeps what the model sees at every step. */
  private static VelocityModel recording(List<float[]> seen) {
    return (tokens, at, sigma) -> {
      seen.add(tokens.toFloatArray());
      return WAVES.velocity(tokens, at, sigma);
    };
  }

  @ParameterizedTest
  @MethodSource("configs")
  void sample_densityOneInEveryStage_equalsThePlainSamplerBitForBit(JitConfig config) {
    Stage[] full = {new Stage(0.3, 1), new Stage(0.6, 1), new Stage(1, 1)};
    JitConfig dense = config.withStages(full);
    Sampler plain = new PlainSampler(config.schedule(), config.steps(), config.solver());
    List<float[]> seenByJit = new ArrayList<>();
    List<float[]> seenByEuler = new ArrayList<>();
    NDArray jit = new JitSampler(dense).sample(recording(seenByJit), request(1, 2));
    assertIdentical("latents", jit, plain.sample(recording(seenByEuler), request(1, 2)));
    assertThat(seenByJit).usingRecursiveComparison().isEqualTo(seenByEuler);
  }

  @ParameterizedTest
  @MethodSource("configs")
  void sample_lastStage_equalsEulerStepByStepBitForBit(JitConfig any) {
    JitConfig config = any.withSolver(Solver.EULER);
    List<float[]> seen = new ArrayList<>();
    SamplingRequest request = request(3, 4);
    NDArray latents = new JitSampler(config).sample(recording(seen), request);
    int first = config.steps();
    while (config.plan(GRID).stageOf(first - 1) == 2) {
      first--;
    }
    double[] sigmas = config.schedule().sigmas(config.steps(), GRID.tokens());
    double[] rest = Arrays.copyOfRange(sigmas, first, sigmas.length);
    NDArray state = manager.create(seen.get(first), request.noise().getShape());
    List<float[]> seenByEuler = new ArrayList<>();
    NDArray expected =
        new EulerSampler(SigmaSchedule.custom(rest), rest.length - 1)
            .sample(recording(seenByEuler), state, GRID);
    assertThat(seen.subList(first, seen.size()))
        .hasSizeGreaterThan(3)
        .usingRecursiveComparison()
        .isEqualTo(seenByEuler);
    assertIdentical("latents", latents, expected);
  }

  /** Whoever makes requests relies on it: what a sampler says it does not read has no effect. */
  @Test
  void usesTransitionNoise_ofEverySampler_isWhetherItHasAnEffect() {
    SamplingRequest drawn = request(5);
    SamplingRequest none = SamplingRequest.of(drawn.noise(), GRID);
    JitConfig fresh = JitConfig.default7x().withTransitionNoise(TransitionNoise.FRESH);
    for (Sampler sampler :
        List.of(
            new EulerSampler(SigmaSchedule.linear(), 5),
            JitSampler.preset7x(),
            new JitSampler(fresh))) {
      float[] with = sampler.sample(WAVES, drawn).toFloatArray();
      if (sampler.usesTransitionNoise()) {
        NDArray other = drawn.noise().mul(0.5f);
        assertThat(sampler.sample(WAVES, drawn.withTransitionNoise(other)).toFloatArray())
            .isNotEqualTo(with);
        assertThatThrownBy(() -> sampler.sample(WAVES, none))
            .isInstanceOf(IllegalArgumentException.class);
      } else {
        assertThat(sampler.sample(WAVES, none).toFloatArray()).isEqualTo(with);
      }
    }
  }

  /** Whoever evaluates beforehand what depends on the noise level relies on it. */
  @Test
  void sigmas_ofEverySampler_areThoseAtWhichTheModelIsCalled() {
    for (Sampler sampler :
        List.of(
            new EulerSampler(new SigmaSchedule.DynamicShift(0.5, 1.15, 256, 4096), 5),
            new PlainSampler(SigmaSchedule.linear(), 4, Solver.ADAMS_BASHFORTH_2),
            JitSampler.preset4x(),
            JitSampler.preset7x())) {
      List<Double> seen = new ArrayList<>();
      VelocityModel model =
          (tokens, at, sigma) -> {
            seen.add(sigma);
            return WAVES.velocity(tokens, at, sigma);
          };
      sampler.sample(model, request(5));
      assertThat(sampler.sigmas(GRID))
          .as(sampler.toString())
          .containsExactly(seen.stream().mapToDouble(Double::doubleValue).toArray());
    }
  }

  @Test
  void sample_noiseOfTheCaller_isNotChanged() {
    SamplingRequest request = request(5);
    float[] noise = request.noise().toFloatArray();
    float[] transitionNoise = request.transitionNoise().orElseThrow().toFloatArray();
    NDArray latents = JitSampler.preset7x().sample(WAVES, request);
    assertThat(request.noise().toFloatArray()).isEqualTo(noise);
    assertThat(request.transitionNoise().orElseThrow().toFloatArray()).isEqualTo(transitionNoise);
    assertThat(latents.getManager()).isSameAs(manager);
  }

  @ParameterizedTest
  @MethodSource("configs")
  void sample_sameRequestAgainAndFromFourThreads_isBitIdentical(JitConfig config)
      throws InterruptedException, ExecutionException {
    JitSampler sampler = new JitSampler(config);
    SamplingRequest request = request(6, 7);
    float[] expected = sampler.sample(WAVES, request).toFloatArray();
    assertThat(sampler.sample(WAVES, request).toFloatArray()).isEqualTo(expected);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      Callable<float[]> task =
          () -> {
            try (NDArray latents = sampler.sample(WAVES, request)) {
              return latents.toFloatArray();
            }
          };
      for (Future<float[]> result :
          threads.invokeAll(Collections.nCopies(8, task), 60, TimeUnit.SECONDS)) {
        assertThat(result.get()).isEqualTo(expected);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @ParameterizedTest
  @MethodSource("configs")
  void sample_aBatch_givesWhatItsSamplesGiveAlone(JitConfig config) {
    JitSampler sampler = new JitSampler(config);
    List<SamplingStep> steps = new ArrayList<>();
    NDArray batch = sampler.sample(WAVES, request(8, 9, 10).withListener(steps::add));
    for (int b = 0; b < 3; b++) {
      List<SamplingStep> alone = new ArrayList<>();
      NDArray single = sampler.sample(WAVES, request(8 + b).withListener(alone::add));
      assertThat(batch.get(b).toFloatArray()).as("sample " + b).isEqualTo(single.toFloatArray());
      for (int i = 0; i < steps.size(); i++) {
        assertThat(steps.get(i).active().indices(b)).isEqualTo(alone.get(i).active().indices(0));
      }
    }
    TokenSubset second = stage(steps, 1).active();
    boolean own = !Arrays.equals(second.indices(0), second.indices(1));
    assertThat(own).isEqualTo(config.activation() == Activation.IMPORTANCE);
  }

  private static SamplingStep stage(List<SamplingStep> steps, int stage) {
    return steps.stream().filter(step -> step.stage() == stage).findFirst().orElseThrow();
  }

  @Test
  void sample_ofThePreset7x_tellsEveryStep() {
    List<SamplingStep> steps = new ArrayList<>();
    JitSampler.preset7x().sample(WAVES, request(11).withListener(steps::add));
    double[] sigmas = JitConfig.default7x().schedule().sigmas(11, GRID.tokens());
    assertThat(steps).hasSize(11);
    Duration before = Duration.ZERO;
    for (int i = 0; i < 11; i++) {
      SamplingStep step = steps.get(i);
      int stage = i < 4 ? 0 : i < 7 ? 1 : 2;
      assertThat(step.step()).isEqualTo(i);
      assertThat(step.steps()).isEqualTo(11);
      assertThat(step.sigma()).isEqualTo(sigmas[i]);
      assertThat(step.stage()).isEqualTo(stage);
      assertThat(step.stages()).isEqualTo(3);
      assertThat(step.active().count()).isEqualTo(new int[] {49, 92, 154}[stage]);
      assertThat(step.modelTime()).isPositive();
      assertThat(step.elapsed().minus(before)).isGreaterThan(step.modelTime());
      before = step.elapsed();
    }
    assertThat(steps.get(4).active().indices(0)).startsWith(steps.get(3).active().indices(0));
    assertThat(steps.get(10).active()).isEqualTo(TokenSubset.all(GRID, 1));
  }

  @Test
  void sample_ofEuler_tellsOneStageOfAllTokens() {
    List<SamplingStep> steps = new ArrayList<>();
    new EulerSampler(SigmaSchedule.linear(), 3).sample(WAVES, request(11).withListener(steps::add));
    assertThat(steps).hasSize(3);
    assertThat(steps)
        .allSatisfy(
            step -> {
              assertThat(step.stage()).isZero();
              assertThat(step.stages()).isEqualTo(1);
              assertThat(step.active().isFull()).isTrue();
            });
  }

  @Test
  void sample_givenAnchors_evaluatesThoseInTheirOrder() {
    TokenSubset anchors = RandomAnchors.of(new Random(12), GRID, 20, 2);
    List<float[]> places = new ArrayList<>();
    VelocityModel placing =
        (tokens, at, sigma) -> {
          places.add(at.positions().toFloatArray());
          return WAVES.velocity(tokens, at, sigma);
        };
    List<SamplingStep> steps = new ArrayList<>();
    JitSampler.preset7x()
        .sample(placing, request(13, 14).withAnchors(anchors).withListener(steps::add));
    assertThat(steps.get(0).active()).isEqualTo(anchors);
    float[] first = places.get(0);
    assertThat(first).hasSize(2 * 20 * 3);
    for (int k = 0; k < 40; k++) {
      int token = anchors.index(k / 20, k % 20);
      assertThat(Arrays.copyOfRange(first, 3 * k, 3 * k + 3))
          .containsExactly(0, GRID.row(token), GRID.col(token));
    }
  }

  @Test
  void sample_cancelledFromAnotherThread_endsWithinOneStep() throws InterruptedException {
    CancellableListener listener = new CancellableListener();
    CountDownLatch evaluating = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
    int[] evaluations = {0};
    VelocityModel waiting =
        (tokens, at, sigma) -> {
          if (evaluations[0]++ == 4) {
            evaluating.countDown();
            try {
              assertThat(cancelled.await(60, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
          }
          return WAVES.velocity(tokens, at, sigma);
        };
    Thread other =
        new Thread(
            () -> {
              try {
                if (evaluating.await(60, TimeUnit.SECONDS)) {
                  listener.cancel();
                  cancelled.countDown();
                }
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    other.start();
    assertThatThrownBy(
            () -> JitSampler.preset7x().sample(waiting, request(15).withListener(listener)))
        .isInstanceOf(CancellationException.class)
        .hasMessageContaining("before step 5 of 11");
    other.join();
    assertThat(evaluations[0]).isEqualTo(5);
  }

  @Test
  void cancellableListener_aroundAnother_passesStepsAndItsCancelling() {
    List<SamplingStep> steps = new ArrayList<>();
    SamplingListener stopping =
        new SamplingListener() {
          @Override
          public void onStep(SamplingStep step) {
            steps.add(step);
          }

          @Override
          public boolean isCancelled() {
            return steps.size() == 3;
          }
        };
    CancellableListener listener = new CancellableListener(stopping);
    assertThatThrownBy(
            () -> JitSampler.preset7x().sample(WAVES, request(15).withListener(listener)))
        .isInstanceOf(CancellationException.class);
    assertThat(steps).hasSize(3);
  }

  /** What a transition leaves: state and target of the joining tokens. */
  private static final class Transition {
    final int step;
    final long[] joining;
    final float[] clean;
    final float[] target;
    final float[] y;

    Transition(int step, long[] joining, NDArray clean, NDArray target, NDArray state) {
      this.step = step;
      this.joining = joining;
      this.clean = clean.toFloatArray();
      this.target = target.toFloatArray();
      this.y = state.toFloatArray();
    }
  }

  private List<Transition> transitions(JitConfig config, VelocityModel model, SamplingRequest r) {
    List<Transition> transitions = new ArrayList<>();
    new JitSampler(config)
        .sample(
            model,
            r,
            new JitTrace() {
              @Override
              public void transition(
                  int i,
                  TokenSubset next,
                  long[] joining,
                  NDArray clean,
                  NDArray target,
                  NDArray state) {
                transitions.add(new Transition(i, joining, clean, target, state));
              }
            });
    return transitions;
  }

  @ParameterizedTest
  @EnumSource(TransitionNoise.class)
  void sample_exactMicroFlow_putsJoiningTokensOnTheirTarget(TransitionNoise transitionNoise) {
    JitConfig config = JitConfig.default7x().withTransitionNoise(transitionNoise);
    SamplingRequest request = request(16, 17);
    double[] sigmas = config.schedule().sigmas(11, GRID.tokens());
    float[] noise =
        transitionNoise == TransitionNoise.INITIAL
            ? request.noise().toFloatArray()
            : request.transitionNoise().orElseThrow().toFloatArray();
    List<Transition> transitions = transitions(config, WAVES, request);
    assertThat(transitions).extracting(transition -> transition.step).containsExactly(4, 7);
    for (Transition t : transitions) {
      float sigma = (float) sigmas[t.step];
      float[] expected = new float[t.target.length];
      float[] reached = new float[t.target.length];
      for (int k = 0; k < expected.length; k++) {
        int at = (int) t.joining[k / 6] * 6 + k % 6;
        expected[k] = (1 - sigma) * t.clean[at] + sigma * noise[at];
        reached[k] = t.y[at];
      }
      assertThat(reached).isEqualTo(t.target);
      assertClose("target", t.target, expected, 1e-6, 0);
    }
  }

  /**
   * Channels are independent Gaussians of a smooth mean and standard deviation 0.5, whose exact
   * velocity is known in closed form (the field "tokenwise" of the recordings without
   * conditioning). At noise level sigma the standard deviation is sqrt(0.25 (1 - sigma)^2 +
   * sigma^2).
   */
  private static final class GaussianModel implements VelocityModel {
    static float mean(int row, int col, int channel) {
      double p1 = phase(2 * row + 3 * channel, 40);
      double p2 = phase(2 * col + 5 * channel, 48);
      double p3 = phase(11 * row + 13 * col + 7 * channel, 37);
      double p4 = phase(3 * row, 29);
      double p5 = phase(3 * col, 31);
      return (float)
          (Math.sin(p1) * Math.cos(p2) + (0.5 + 0.5 * Math.sin(p4) * Math.sin(p5)) * Math.sin(p3));
    }

    private static double phase(int numerator, int period) {
      return numerator % period * 2 * Math.PI / period;
    }

    @Override
    public NDArray velocity(NDArray tokens, ActiveTokens at, double sigma) {
      int channels = (int) tokens.getShape().get(2);
      TokenSubset subset = at.subset();
      float[] means = new float[subset.samples() * subset.count() * channels];
      for (int k = 0; k < means.length; k++) {
        int place = k / channels;
        int token = subset.index(place / subset.count(), place % subset.count());
        TokenGrid grid = subset.grid();
        means[k] = mean(grid.row(token), grid.col(token), k % channels);
      }
      NDArray mu = tokens.getManager().create(means, tokens.getShape());
      double variance = 0.25 * (1 - sigma) * (1 - sigma) + sigma * sigma;
      double gain = (sigma - 0.25 * (1 - sigma)) / variance;
      return tokens.sub(mu.mul((float) (1 - sigma))).muli((float) gain).subi(mu);
    }
  }

  /** Standard deviation of the joining tokens around the right mean, and the right one. */
  private double[] spread(MicroFlow microFlow) {
    TokenGrid grid = new TokenGrid(32, 32);
    int channels = 16;
    JitConfig config = JitConfig.default7x().asReleased().withMicroFlow(microFlow);
    SamplingRequest request = SamplingRequest.seeded(manager, grid, channels, 18);
    Transition first = transitions(config, new GaussianModel(), request).get(0);
    double sigma = config.schedule().sigmas(11, grid.tokens())[first.step];
    double squares = 0;
    for (long token : first.joining) {
      for (int j = 0; j < channels; j++) {
        float mean = GaussianModel.mean(grid.row((int) token), grid.col((int) token), j);
        double off = first.y[(int) token * channels + j] - (1 - sigma) * mean;
        squares += off * off;
      }
    }
    return new double[] {
      Math.sqrt(squares / (first.joining.length * (double) channels)),
      Math.sqrt(0.25 * (1 - sigma) * (1 - sigma) + sigma * sigma)
    };
  }

  @Test
  void sample_exactMicroFlowOnAnExactGaussianModel_keepsTheNoiseLevel() {
    double[] spread = spread(MicroFlow.exact());
    assertThat(spread[1]).as("right").isCloseTo(0.93, within(0.02));
    assertThat(spread[0]).isCloseTo(spread[1], within(0.04));
  }

  @Test
  void sample_partialMicroFlowOnAnExactGaussianModel_leavesTooLittleNoise() {
    assertThat(spread(MicroFlow.partial(3))[0]).isCloseTo(0.74, within(0.02));
  }

  @Test
  void sample_initialNoiseAgain_doesWhatFreshNoiseEqualToItDoes() {
    SamplingRequest request = request(23);
    JitConfig fresh = JitConfig.default7x().withTransitionNoise(TransitionNoise.FRESH);
    NDArray expected =
        new JitSampler(fresh).sample(WAVES, request.withTransitionNoise(request.noise()));
    assertIdentical("latents", JitSampler.preset7x().sample(WAVES, request), expected);
    assertThat(new JitSampler(fresh).sample(WAVES, request).toFloatArray())
        .isNotEqualTo(expected.toFloatArray());
  }

  /** Tokens that are not active move only where something reads them; the result is the same. */
  @ParameterizedTest
  @MethodSource("configs")
  void sample_traceThatReadsEveryToken_changesNoBit(JitConfig config) {
    JitSampler sampler = new JitSampler(config);
    SamplingRequest request = request(24, 25);
    NDArray traced = sampler.sample(WAVES, request, new JitTrace() {});
    assertIdentical("latents", sampler.sample(WAVES, request), traced);
  }

  @ParameterizedTest
  @MethodSource("configs")
  void sample_listenerThatWantsEstimates_getsEveryTokenAndChangesNoBit(JitConfig config) {
    JitSampler sampler = new JitSampler(config);
    SamplingRequest request = request(26, 27);
    List<float[]> estimates = new ArrayList<>();
    SamplingListener listener =
        new SamplingListener() {
          @Override
          public void onStep(SamplingStep step) {
            assertThat(estimates).hasSize(step.step() / 2 + 1);
          }

          @Override
          public boolean wantsEstimate(int step) {
            return step % 2 == 0;
          }

          @Override
          public void onEstimate(int step, NDArray estimate) {
            assertThat(step).isEqualTo(2 * estimates.size());
            estimates.add(estimate.toFloatArray());
          }
        };
    NDArray latents = sampler.sample(WAVES, request.withListener(listener));
    assertIdentical("latents", sampler.sample(WAVES, request), latents);
    assertThat(estimates)
        .hasSize((sampler.steps() + 1) / 2)
        .allMatch(estimate -> estimate.length == 2 * GRID.tokens() * 6);
  }

  @Test
  void sample_everyTokenOfEqualImportance_joinsByIndex() {
    List<SamplingStep> steps = new ArrayList<>();
    JitSampler.preset7x()
        .sample((tokens, at, sigma) -> tokens.zerosLike(), request(19).withListener(steps::add));
    int[] first = steps.get(0).active().indices(0);
    int[] joined = Arrays.copyOfRange(steps.get(4).active().indices(0), 49, 92);
    int[] smallest =
        IntStream.range(0, GRID.tokens())
            .filter(token -> Arrays.binarySearch(first, token) < 0)
            .limit(43)
            .toArray();
    assertThat(joined).isEqualTo(smallest);
  }

  @Test
  void sample_onOneRow_works() {
    TokenGrid row = new TokenGrid(1, 37);
    NDArray noise = SamplingRequest.seeded(manager, row, 3, 20).noise();
    NDArray latents = JitSampler.preset4x().sample(WAVES, noise, row);
    assertThat(latents.getShape()).isEqualTo(noise.getShape());
    assertThat(JitSampler.preset4x().steps()).isEqualTo(18);
  }
}
