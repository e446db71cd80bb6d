package io.jitflow.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.Stage;
import io.jitflow.core.testing.WaveModel;
import io.jitflow.core.token.TokenGrid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Nothing native stays behind a run, however it ends. */
class LeakTest {
  private static final int FEW = 10;
  private static final int MANY = 40;
  private static final int VERY_MANY = 1000;
  private static final int STEPS = 4;
  private static final JitConfig JIT =
      JitConfig.of(STEPS, new Stage(0.5, 0.3), new Stage(0.75, 0.6), new Stage(1, 1));
  private static final VelocityModel WAVES = new WaveModel();

  static Stream<Sampler> samplers() {
    return Stream.of(
        new EulerSampler(SigmaSchedule.linear(), STEPS),
        new JitSampler(JIT.withTransitionNoise(TransitionNoise.FRESH)),
        new JitSampler(JIT.asReleased()),
        new PlainSampler(SigmaSchedule.linear(), STEPS, Solver.ADAMS_BASHFORTH_2),
        new JitSampler(JIT.withSolver(Solver.ADAMS_BASHFORTH_2)));
  }

  /** One sampling; ends as it is meant to end. */
  private interface Run {
    void run(Sampler sampler, SamplingRequest request, int count);
  }

  /** What is alive: arrays of the manager and all below it, and sub-managers left open in it. */
  private record Alive(int arrays, int resources) {
    private static final Pattern RESOURCES = Pattern.compile("Resource size: (\\d+)");

    static Alive in(NDManager manager) {
      Matcher matcher = RESOURCES.matcher(manager.toString());
      assertThat(matcher.find()).isTrue();
      return new Alive(manager.getManagedArrays().size(), Integer.parseInt(matcher.group(1)));
    }
  }

  private static Alive[] aliveAfterFewAndMany(Sampler sampler, Run run) {
    return aliveAfter(FEW, MANY, sampler, run);
  }

  private static Alive[] aliveAfter(int few, int many, Sampler sampler, Run run) {
    try (NDManager manager = NDManager.newBaseManager()) {
      SamplingRequest request = SamplingRequest.seeded(manager, new TokenGrid(5, 6), 3, 1, 2);
      Alive afterFew = null;
      for (int count = 0; count < many; count++) {
        if (count == few) {
          afterFew = Alive.in(manager);
        }
        run.run(sampler, request, count);
      }
      return new Alive[] {afterFew, Alive.in(manager)};
    }
  }

  private static void assertNothingLeft(Sampler sampler, Run run) {
    Alive[] alive = aliveAfterFewAndMany(sampler, run);
    // noise and transition noise
    assertThat(alive[0]).isEqualTo(new Alive(2, 2));
    assertThat(alive[1]).isEqualTo(alive[0]);
  }

  /** The counts of the other tests, over a thousand runs that end in each of these ways in turn. */
  @Test
  void sample_aThousandTimes_leavesNoArray() {
    Sampler jit = samplers().skip(1).findFirst().orElseThrow();
    VelocityModel throwing =
        (tokens, at, sigma) -> {
          throw new IllegalCallerException("from the model");
        };
    Alive[] alive =
        aliveAfter(
            FEW,
            VERY_MANY,
            jit,
            (s, request, count) -> {
              CancellableListener listener = new CancellableListener();
              if (count % 3 == 0) {
                s.sample(WAVES, request).close();
              } else if (count % 3 == 1) {
                assertThatThrownBy(() -> s.sample(failing(count, throwing), request))
                    .isInstanceOf(IllegalCallerException.class);
              } else {
                listener.cancel();
                assertThatThrownBy(() -> s.sample(WAVES, request.withListener(listener)))
                    .isInstanceOf(CancellationException.class);
              }
            });
    assertThat(alive[0]).isEqualTo(new Alive(2, 2));
    assertThat(alive[1]).isEqualTo(alive[0]);
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_manyTimes_leavesNoArray(Sampler sampler) {
    assertNothingLeft(sampler, (s, request, count) -> s.sample(WAVES, request).close());
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_withoutClosingTheResult_leavesExactlyTheResults(Sampler sampler) {
    Alive[] alive = aliveAfterFewAndMany(sampler, (s, request, count) -> s.sample(WAVES, request));
    assertThat(alive[0]).isEqualTo(new Alive(2 + FEW, 2 + FEW));
    assertThat(alive[1]).isEqualTo(new Alive(2 + MANY, 2 + MANY));
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelThatLeavesAnArray_isSeenByTheCount(Sampler sampler) {
    Alive[] alive =
        aliveAfterFewAndMany(
            sampler,
            (s, request, count) ->
                s.sample(
                        (tokens, at, sigma) -> {
                          NDArray left = tokens.duplicate();
                          left.attach(request.noise().getManager());
                          return WAVES.velocity(tokens, at, sigma);
                        },
                        request)
                    .close());
    assertThat(alive[1].arrays - alive[0].arrays).isEqualTo(STEPS * (MANY - FEW));
  }

  /** Calls the model until the step that is next in turn, then does something else. */
  private static VelocityModel failing(int count, VelocityModel failure) {
    int[] step = {0};
    return (tokens, at, sigma) ->
        (step[0]++ == count % STEPS ? failure : WAVES).velocity(tokens, at, sigma);
  }

  private static void assertFailureLeavesNothing(
      Sampler sampler, VelocityModel failure, Class<? extends Exception> thrown) {
    assertNothingLeft(
        sampler,
        (s, request, count) ->
            assertThatThrownBy(() -> s.sample(failing(count, failure), request))
                .isInstanceOf(thrown));
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelThatThrows_leavesNoArray(Sampler sampler) {
    VelocityModel throwing =
        (tokens, at, sigma) -> {
          tokens.mul(2);
          throw new IllegalCallerException("from the model");
        };
    assertFailureLeavesNothing(sampler, throwing, IllegalCallerException.class);
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelReturningAnotherShape_leavesNoArray(Sampler sampler) {
    assertFailureLeavesNothing(
        sampler, (tokens, at, sigma) -> tokens.get(":, 1:"), ModelOutputException.class);
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_modelReturningNaN_leavesNoArray(Sampler sampler) {
    assertFailureLeavesNothing(
        sampler, (tokens, at, sigma) -> tokens.mul(Float.NaN), ModelOutputException.class);
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_cancelled_leavesNoArray(Sampler sampler) {
    assertNothingLeft(
        sampler,
        (s, request, count) -> {
          CancellableListener listener = new CancellableListener();
          VelocityModel cancelling =
              (tokens, at, sigma) -> {
                listener.cancel();
                return WAVES.velocity(tokens, at, sigma);
              };
          assertThatThrownBy(
                  () ->
                      s.sample(
                          failing(count % (STEPS - 1), cancelling), request.withListener(listener)))
              .isInstanceOf(CancellationException.class);
        });
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_listenerThatThrows_leavesNoArray(Sampler sampler) {
    assertNothingLeft(
        sampler,
        (s, request, count) -> {
          SamplingListener listener =
              step -> {
                if (step.step() == count % STEPS) {
                  throw new IllegalCallerException("from the listener");
                }
              };
          assertThatThrownBy(() -> s.sample(WAVES, request.withListener(listener)))
              .isInstanceOf(IllegalCallerException.class);
        });
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_listenerThatWantsEstimates_leavesNoArray(Sampler sampler) {
    int[] estimates = {0};
    assertNothingLeft(
        sampler,
        (s, request, count) -> {
          SamplingListener listener =
              new SamplingListener() {
                @Override
                public void onStep(SamplingStep step) {
                  // only estimates
                }

                @Override
                public boolean wantsEstimate(int step) {
                  return true;
                }

                @Override
                public void onEstimate(int step, NDArray estimate) {
                  estimates[0]++;
                  if (step == count % (2 * STEPS)) {
                    throw new IllegalCallerException("from the listener");
                  }
                }
              };
          try {
            s.sample(WAVES, request.withListener(listener)).close();
          } catch (IllegalCallerException expected) {
            assertThat(count % (2 * STEPS)).isLessThan(STEPS);
          }
        });
    // of every eight runs four get all four, and the others 1, 2, 3 and 4
    assertThat(estimates[0]).isEqualTo(MANY / (2 * STEPS) * (16 + 1 + 2 + 3 + 4));
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_velocitiesOfAnotherManager_leavesThemAlone(Sampler sampler) {
    try (NDManager own = NDManager.newBaseManager()) {
      NDArray velocity = own.full(new Shape(2, 30, 3), 0.5f);
      assertNothingLeft(
          sampler,
          (s, request, count) ->
              s.sample(
                      (tokens, at, sigma) -> at.subset().isFull() ? velocity : tokens.mul(1),
                      request)
                  .close());
      assertThat(Alive.in(own)).isEqualTo(new Alive(1, 1));
      assertThat(velocity.toFloatArray()).containsOnly(0.5f);
    }
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void sample_everyVelocityOfAnotherManager_addsNothingToIt(Sampler sampler) {
    try (NDManager own = NDManager.newBaseManager()) {
      int[] evaluations = {0};
      assertNothingLeft(
          sampler,
          (s, request, count) ->
              s.sample(
                      (tokens, at, sigma) -> {
                        evaluations[0]++;
                        NDArray velocity = tokens.mul(0.5f);
                        velocity.attach(own);
                        return velocity;
                      },
                      request)
                  .close());
      assertThat(Alive.in(own).arrays()).isEqualTo(evaluations[0]);
    }
  }

  /**
   * Arrays that belong to no manager are seen by the process's memory alone. One forgotten latent
   * of 4 MiB in each run would add 320 MiB.
   */
  @Test
  void sample_manyTimes_leavesNoNativeMemory() throws IOException {
    assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "needs /proc");
    Sampler sampler = new JitSampler(JitConfig.of(2, new Stage(0.5, 0.3), new Stage(1, 1)));
    try (NDManager manager = NDManager.newBaseManager()) {
      SamplingRequest request = SamplingRequest.seeded(manager, new TokenGrid(64, 64), 256, 1);
      long few = 0;
      for (int count = 0; count < 90; count++) {
        if (count == FEW) {
          few = residentMib();
        }
        sampler.sample(WAVES, request).close();
      }
      assertThat(residentMib() - few).as("MiB more after 90 runs than after 10").isLessThan(130);
    }
  }

  private static long residentMib() throws IOException {
    System.gc();
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
        .findFirst()
        .orElseThrow();
  }
}
