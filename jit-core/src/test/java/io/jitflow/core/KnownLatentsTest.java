package io.jitflow.core;

import static io.jitflow.core.testing.Arrays32.assertClose;
import static io.jitflow.core.testing.Arrays32.assertIdentical;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDIndex;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.WaveModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Runs that start from, or keep a part of, latents that are known. */
class KnownLatentsTest extends ArrayTest {
  private static final TokenGrid GRID = new TokenGrid(8, 10);
  private static final VelocityModel WAVES = new WaveModel();

  private NDArray clean;
  private SamplingRequest request;

  @BeforeEach
  void open() {
    request = SamplingRequest.seeded(manager, GRID, 4, 1);
    clean = SamplingRequest.seeded(manager, GRID, 4, 2).noise();
  }

  /** 1 in the right half of the columns. */
  private NDArray rightHalf() {
    float[] mask = new float[GRID.tokens() * 4];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = GRID.col(i / 4) >= 5 ? 1 : 0;
    }
    return manager.create(mask).reshape(1, GRID.tokens(), 4);
  }

  private static boolean[] drawn() {
    boolean[] drawn = new boolean[GRID.tokens()];
    IntStream.range(0, drawn.length).forEach(t -> drawn[t] = GRID.col(t) >= 5);
    return drawn;
  }

  @Test
  void startingAt_plainSampler_hasTheTailOfItsOwnLevels() {
    double[] all = SigmaSchedule.linear().sigmas(10, 80);
    EulerSampler left = new EulerSampler(SigmaSchedule.linear(), 10).startingAt(all[4], GRID);
    assertThat(left.steps()).isEqualTo(6);
    assertThat(left.schedule().sigmas(6, 80))
        .containsExactly(java.util.Arrays.copyOfRange(all, 4, 11));
  }

  @Test
  void startingAt_jit_appliesTheStagesToTheStepsThatAreLeft() {
    JitSampler left = JitSampler.preset7x().startingAt(0.7, GRID);
    double[] levels = left.sigmas(GRID);
    assertThat(levels[0]).isEqualTo((double) 0.7f);
    assertThat(levels[1]).isLessThan(0.7);
    assertThat(left.config().stages()).isEqualTo(JitConfig.default7x().stages());
    assertThat(left.steps()).isLessThan(11);
  }

  @Test
  void startingAt_tooFewStepsForTheStages_isRefused() {
    double last = JitSampler.preset7x().sigmas(GRID)[10];
    assertThatThrownBy(() -> JitSampler.preset7x().startingAt(last, GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("gets no step");
  }

  /** A sampler that says what it must, and nothing more. */
  private record Reticent() implements Sampler {
    @Override
    public NDArray sample(VelocityModel model, SamplingRequest request) {
      throw new AssertionError("not to be called");
    }

    @Override
    public int steps() {
      return 1;
    }
  }

  @Test
  void startingAt_samplerThatDoesNotSay_isRefusedWithItsName() {
    assertThatThrownBy(() -> new Reticent().startingAt(0.5, GRID))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining(Reticent.class.getName() + " starts from noise only");
  }

  @Test
  void sample_known_startsFromItsNoisedState() {
    List<float[]> states = new ArrayList<>();
    VelocityModel recording =
        (tokens, at, sigma) -> {
          states.add(tokens.toFloatArray());
          return WAVES.velocity(tokens, at, sigma);
        };
    Sampler sampler = new EulerSampler(SigmaSchedule.linear(), 10).startingAt(0.4, GRID);
    sampler.sample(recording, request.withKnown(clean));
    float[] x0 = clean.toFloatArray();
    float[] eps = request.noise().toFloatArray();
    for (int i = 0; i < x0.length; i++) {
      assertThat((double) states.get(0)[i]).isCloseTo(0.6 * x0[i] + 0.4 * eps[i], within(1e-6));
    }
  }

  @Test
  void sample_mask_keepsTheKnownLatentsAtEveryLevelAndExactlyAtTheEnd() {
    List<float[]> states = new ArrayList<>();
    List<Double> levels = new ArrayList<>();
    VelocityModel recording =
        (tokens, at, sigma) -> {
          states.add(tokens.toFloatArray());
          levels.add(sigma);
          return WAVES.velocity(tokens, at, sigma);
        };
    NDArray result =
        new PlainSampler(SigmaSchedule.linear(), 5, Solver.ADAMS_BASHFORTH_2)
            .sample(recording, request.withKnown(clean).withMask(rightHalf()));
    float[] x0 = clean.toFloatArray();
    float[] eps = request.noise().toFloatArray();
    float[] end = result.toFloatArray();
    for (int i = 0; i < x0.length; i++) {
      if (GRID.col(i / 4) < 5) {
        for (int k = 0; k < states.size(); k++) {
          double sigma = levels.get(k);
          assertThat((double) states.get(k)[i])
              .isCloseTo((1 - sigma) * x0[i] + sigma * eps[i], within(1e-6));
        }
        assertThat(end[i]).isEqualTo(x0[i]);
      }
    }
    assertThat(result.contentEquals(clean)).isFalse();
  }

  @Test
  void sample_partlyKnownModel_isTheFullModelWhereTokensDoNotSeeEachOther() {
    SamplingRequest kept = request.withKnown(clean).withMask(rightHalf());
    int[] shown = IntStream.range(0, GRID.tokens()).filter(t -> GRID.col(t) >= 4).toArray();
    int[] most = new int[1];
    VelocityModel counting =
        (tokens, at, sigma) -> {
          most[0] = Math.max(most[0], at.subset().count());
          return WAVES.velocity(tokens, at, sigma);
        };
    Sampler sampler = new EulerSampler(SigmaSchedule.linear(), 6);
    NDArray full = sampler.sample(WAVES, kept);
    NDArray sparse = sampler.sample(counting.partlyKnown(kept, TokenSubset.of(GRID, shown)), kept);
    assertThat(most[0]).isEqualTo(shown.length);
    assertThat(sparse.sub(full).abs().max().getFloat()).isLessThan(1e-5f);
  }

  @Test
  void sample_jitWithMaskAnchors_keepsTheKnownPartAndEvaluatesNoneOfItTwice() {
    JitConfig config = JitConfig.default7x();
    SamplingRequest kept =
        request.withKnown(clean).withMask(rightHalf()).withAnchors(config.anchors(GRID, drawn()));
    int[] shown = IntStream.range(0, GRID.tokens()).filter(t -> GRID.col(t) >= 5).toArray();
    List<Integer> counts = new ArrayList<>();
    VelocityModel counting =
        (tokens, at, sigma) -> {
          counts.add(at.subset().count());
          return WAVES.velocity(tokens, at, sigma);
        };
    NDArray result =
        new JitSampler(config)
            .sample(counting.partlyKnown(kept, TokenSubset.of(GRID, shown)), kept);
    assertThat(counts.get(0)).isEqualTo((int) Math.ceil(0.32 * 40));
    assertThat(counts.get(10)).isEqualTo(40);
    assertThat(result.isNaN().any().getBoolean()).isFalse();
    assertLeftHalfIsKept(result);
  }

  @Test
  void sample_partlyKnownModelOnMoreTokensThanARowHolds_works() {
    TokenGrid large = new TokenGrid(190, 190);
    SamplingRequest all = SamplingRequest.seeded(manager, large, 1, 1);
    NDArray known = SamplingRequest.seeded(manager, large, 1, 2).noise();
    int[] shown = IntStream.range(0, large.tokens()).filter(t -> t % 3 > 0).toArray();
    SamplingRequest kept = all.withKnown(known);
    Sampler sampler = new EulerSampler(SigmaSchedule.linear(), 1);
    float[] full = sampler.sample(WAVES, kept).toFloatArray();
    VelocityModel partly = WAVES.partlyKnown(kept, TokenSubset.of(large, shown));
    float[] sparse = sampler.sample(partly, kept).toFloatArray();
    float[] expected = known.toFloatArray();
    for (int token : shown) {
      expected[token] = full[token];
    }
    assertClose("latents", sparse, expected, 1e-5, 0);
  }

  private void assertPartFails(VelocityModel model, String... parts) {
    SamplingRequest kept = request.withKnown(clean);
    VelocityModel partly = model.partlyKnown(kept, TokenSubset.of(GRID, new int[] {3, 7, 12}));
    Sampler sampler = new EulerSampler(SigmaSchedule.linear(), 2);
    assertThatThrownBy(() -> sampler.sample(partly, kept))
        .isInstanceOf(ModelOutputException.class)
        .hasMessageContaining("sigma 1.0, 3 of 80 tokens")
        .hasMessageContainingAll(parts);
  }

  @Test
  void sample_partlyKnownModelWithABadResult_failsAsWithoutIt() {
    assertPartFails((tokens, at, sigma) -> null, "returned null");
    assertPartFails((tokens, at, sigma) -> tokens.get(":, :1"), "(1, 3, 4)", "(1, 1, 4)");
    assertPartFails((tokens, at, sigma) -> tokens.mul(Float.NaN), "12 NaN and 0 infinite of 12");
    assertPartFails(
        (tokens, at, sigma) -> {
          NDArray velocity = tokens.mul(2);
          velocity.close();
          return velocity;
        },
        "closed already");
  }

  @Test
  void sample_partlyKnownModel_seesOneObjectOfTokensInAStageAndLeavesNoArray() {
    JitConfig config = JitConfig.default7x();
    SamplingRequest kept =
        request.withKnown(clean).withMask(rightHalf()).withAnchors(config.anchors(GRID, drawn()));
    int[] shown = IntStream.range(0, GRID.tokens()).filter(t -> GRID.col(t) >= 5).toArray();
    Set<ActiveTokens> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    VelocityModel collecting =
        (tokens, at, sigma) -> {
          seen.add(at);
          return WAVES.velocity(tokens, at, sigma);
        };
    VelocityModel partly = collecting.partlyKnown(kept, TokenSubset.of(GRID, shown));
    int before = manager.getManagedArrays().size();
    new JitSampler(config).sample(partly, kept).close();
    assertThat(seen).hasSize(3);
    assertThat(manager.getManagedArrays()).hasSize(before);
  }

  private void assertLeftHalfIsKept(NDArray result) {
    float[] x0 = clean.toFloatArray();
    float[] end = result.toFloatArray();
    for (int i = 0; i < x0.length; i++) {
      if (GRID.col(i / 4) < 5) {
        assertThat(end[i]).isEqualTo(x0[i]);
      }
    }
  }

  @Test
  void finish_withoutAReport_putsBackWhatTheMaskKeeps() {
    SamplingRequest kept = request.withKnown(clean).withMask(rightHalf());
    double[] sigmas = SigmaSchedule.linear().sigmas(1, GRID.tokens());
    NDArray result;
    try (Trajectory path = new Trajectory(WAVES, kept, sigmas, Solver.EULER);
        ActiveTokens all = path.activate(TokenSubset.all(GRID, 1));
        Trajectory.Step step = path.begin(0)) {
      step.advance(step.evaluate(all));
      result = path.finish();
    }
    NDArray reported = new EulerSampler(SigmaSchedule.linear(), 1).sample(WAVES, kept);
    assertIdentical("latents", result, reported);
    assertLeftHalfIsKept(result);
  }

  @Test
  void sample_maskBetweenKeptAndDrawn_isAppliedOnceAtTheEnd() {
    Sampler sampler = new EulerSampler(SigmaSchedule.linear(), 1);
    SamplingRequest known = request.withKnown(clean);
    float[] drawn = sampler.sample(WAVES, known).toFloatArray();
    NDArray half = clean.onesLike().muli(0.5f);
    float[] mixed = sampler.sample(WAVES, known.withMask(half)).toFloatArray();
    float[] x0 = clean.toFloatArray();
    for (int i = 0; i < x0.length; i++) {
      assertThat((double) mixed[i]).isCloseTo(0.5 * drawn[i] + 0.5 * x0[i], within(1e-5));
    }
  }

  @Test
  void withMask_ofValuesThatAreNoShares_isRefusedWithThem() {
    SamplingRequest known = request.withKnown(clean);
    for (float bad : new float[] {-0.25f, 1.5f, Float.NaN, Float.POSITIVE_INFINITY}) {
      NDArray mask = rightHalf();
      mask.set(new NDIndex("0, 3, 2"), bad);
      assertThatThrownBy(() -> known.withMask(mask))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("from 0 (kept) to 1 (drawn)")
          .hasMessageContaining(String.valueOf(bad));
    }
  }

  @Test
  void sample_knownLatentsClosedSince_isRefused() {
    SamplingRequest known = request.withKnown(clean);
    clean.close();
    assertThatThrownBy(() -> new EulerSampler(SigmaSchedule.linear(), 1).sample(WAVES, known))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("known latents is closed");
  }

  @Test
  void partlyKnown_severalSamplesNothingKnownOrAnotherGrid_isRefused() {
    TokenSubset some = TokenSubset.of(GRID, new int[] {3});
    assertThatThrownBy(() -> WAVES.partlyKnown(request, some))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 1 samples and none");
    SamplingRequest two = SamplingRequest.seeded(manager, GRID, 4, 1, 2);
    SamplingRequest both = two.withKnown(two.noise());
    assertThatThrownBy(() -> WAVES.partlyKnown(both, some))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 2 samples and known latents");
    SamplingRequest known = request.withKnown(clean);
    TokenSubset other = TokenSubset.of(new TokenGrid(10, 8), new int[] {3});
    assertThatThrownBy(() -> WAVES.partlyKnown(known, other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("for a grid of 10 x 8, the request for 8 x 10");
  }

  @Test
  void withMask_withoutKnownLatents_isRefused() {
    assertThatThrownBy(() -> request.withMask(rightHalf()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("withKnown");
  }
}
