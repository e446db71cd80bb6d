package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitConfig.Activation;
import io.jitflow.core.jit.JitConfig.MicroFlow;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The samplers, through their public interface, against formulas of another program. */
class ExactWorldTest {
  private static final Path EXPECTED =
      Path.of(System.getProperty("jit.fixtures")).resolve("exact-world/expected-20.txt");
  private static final Pattern ROW =
      Pattern.compile("(.*?) {2,}[0-9.]+ +([0-9.]+) +([0-9.]+) +([0-9.]+)");

  private static final double[] SLOPES = {2, 2.5, 3};

  /** The file has five decimals. */
  private static final double ROUNDING = 1e-5;

  private static NDManager owner;
  private static List<ExactWorld> worlds;

  @BeforeAll
  static void makeWorlds() {
    owner = NDManager.newBaseManager();
    worlds = ExactWorld.worlds(owner, new TokenGrid(20, 20));
  }

  @AfterAll
  static void close() {
    owner.close();
  }

  private static Map<String, double[]> expected() throws IOException {
    Map<String, double[]> rows = new HashMap<>();
    for (String line : Files.readAllLines(EXPECTED)) {
      Matcher matcher = ROW.matcher(line);
      if (matcher.matches()) {
        rows.put(
            matcher.group(1),
            new double[] {
              Double.parseDouble(matcher.group(2)),
              Double.parseDouble(matcher.group(3)),
              Double.parseDouble(matcher.group(4))
            });
      }
    }
    return rows;
  }

  /**
   * Relative to the reference: what is the same but for rounding, and what other anchors change.
   */
  private static double tolerance(String name, int world) {
    if (name.equals("full, 5 steps, order 2")) {
      return 0.02; // the solver's limit of the ratio of steps
    }
    if (name.startsWith("full")) {
      return 0.01;
    }
    if (name.endsWith("order 1")) {
      return 0.03;
    }
    if (name.contains("13x")) {
      return 0.4; // the solver's limit again
    }
    // in the smoothest world other anchors make 40 % of little with 10x, 20 % with 7x
    return name.contains("10x") && SLOPES[world] == 3 ? 0.45 : 0.25;
  }

  /** The rows of the file but those of 50 steps, which take long, and of lifted histories. */
  private static Map<String, Sampler> reference() {
    Map<String, Sampler> rows = new LinkedHashMap<>();
    for (int steps : new int[] {28, 12, 7, 5}) {
      rows.put(
          "full, %d steps, order 1".formatted(steps),
          new EulerSampler(ExactBenchmark.STANDARD, steps));
      rows.put(
          "full, %d steps, order 2".formatted(steps),
          new PlainSampler(ExactBenchmark.STANDARD, steps, Solver.ADAMS_BASHFORTH_2));
    }
    SigmaSchedule released = SigmaSchedule.beta(1.4, 0.425);
    SigmaSchedule flatter = SigmaSchedule.beta(1.2, 0.5);
    JitConfig slow = JitConfig.ofSteps(new int[] {7, 4, 7}, 0.35, 0.62, 1);
    JitConfig paper = JitConfig.ofSteps(new int[] {4, 3, 4}, 0.32, 0.6, 1);
    JitConfig fast = JitConfig.ofSteps(new int[] {3, 2, 3}, 0.32, 0.6, 1);
    JitConfig fastest = JitConfig.ofSteps(new int[] {2, 2, 2}, 0.3, 0.6, 1);
    add(rows, "JiT 4x", slow.withSchedule(released));
    add(rows, "JiT 7x", paper.withSchedule(released));
    add(rows, "JiT 7x, Beta(1.2, 0.5)", paper.withSchedule(flatter));
    add(rows, "JiT 10x: 3, 2, 3, Beta(1.2, 0.5)", fast.withSchedule(flatter));
    add(rows, "JiT 13x: 2, 2, 2, Beta(1.2, 0.5)", fastest.withSchedule(flatter));
    return rows;
  }

  private static void add(Map<String, Sampler> rows, String name, JitConfig config) {
    JitConfig even = config.withActivation(Activation.EVEN_SPREAD);
    rows.put(name + ", order 1", new JitSampler(even));
    rows.put(name + ", order 2 own", new JitSampler(even.withSolver(Solver.ADAMS_BASHFORTH_2)));
  }

  @TestFactory
  Stream<DynamicTest> frechet_ofEverySampler_isThatOfTheReference() throws IOException {
    Map<String, double[]> expected = expected();
    List<DynamicTest> tests = new ArrayList<>();
    reference()
        .forEach(
            (name, sampler) -> {
              double[] values = expected.get(name);
              assertThat(values).as(name).hasSize(SLOPES.length);
              tests.add(DynamicTest.dynamicTest(name, () -> compare(name, sampler, values)));
            });
    assertThat(tests).hasSize(18);
    return tests.stream();
  }

  private static void compare(String name, Sampler sampler, double[] expected) {
    for (int w = 0; w < SLOPES.length; w++) {
      assertThat(worlds.get(w).frechet(sampler))
          .as("slope %s", SLOPES[w])
          .isCloseTo(expected[w], within(expected[w] * tolerance(name, w) + ROUNDING));
    }
  }

  /** Nothing reads the initial noise of a token before it joins; a partial micro-flow does. */
  @Test
  void frechet_ofFreshAndInitialNoise_isTheSameWithTheExactMicroFlow() {
    try (NDManager manager = NDManager.newBaseManager();
        ExactWorld world = new ExactWorld(manager, new TokenGrid(8, 10), 2, 0.25)) {
      JitConfig initial = JitConfig.forSpeedup(7).withActivation(Activation.EVEN_SPREAD);
      JitConfig fresh = initial.withTransitionNoise(TransitionNoise.FRESH);
      double expected = world.frechet(new JitSampler(initial));
      assertThat(world.frechet(new JitSampler(fresh))).isCloseTo(expected, within(1e-6));
      JitConfig released =
          JitConfig.default7x().asReleased().withActivation(Activation.EVEN_SPREAD);
      assertThat(world.frechet(new JitSampler(released)))
          .isGreaterThan(world.frechet(new JitSampler(released.withMicroFlow(MicroFlow.exact()))));
    }
  }

  /** A search measures hundreds of samplers in one world. */
  @Test
  void frechet_again_keepsNoFurtherArray() {
    try (NDManager manager = NDManager.newBaseManager();
        ExactWorld world = new ExactWorld(manager, new TokenGrid(6, 6), 2, 0.25)) {
      JitSampler sampler =
          new JitSampler(JitConfig.forSpeedup(7).withActivation(Activation.EVEN_SPREAD));
      double first = world.frechet(sampler);
      int arrays = manager.getManagedArrays().size();
      assertThat(world.frechet(sampler)).isEqualTo(first);
      assertThat(manager.getManagedArrays()).hasSize(arrays);
    }
  }

  /** Grids need not be square, and second order must win there too. */
  @Test
  void frechet_onAWideGrid_isSmallerOfSecondOrder() {
    try (NDManager manager = NDManager.newBaseManager();
        ExactWorld world = new ExactWorld(manager, new TokenGrid(8, 18), 2.5, 0.25)) {
      JitConfig euler = JitConfig.default7x().withActivation(Activation.EVEN_SPREAD);
      double first = world.frechet(new JitSampler(euler));
      double second = world.frechet(new JitSampler(euler.withSolver(Solver.ADAMS_BASHFORTH_2)));
      assertThat(second).isLessThan(first / 5);
      double plain = world.frechet(new EulerSampler(ExactBenchmark.STANDARD, 7));
      double plainSecond =
          world.frechet(new PlainSampler(ExactBenchmark.STANDARD, 7, Solver.ADAMS_BASHFORTH_2));
      assertThat(plainSecond).isLessThan(plain / 3);
      assertThat(second).isLessThan(plainSecond);
      assertThat(world.frechet(new LowResolutionFirst(ExactBenchmark.STANDARD, 4, 5)))
          .isBetween(second, 0.2);
      assertThat(world.frechet(new VelocityEstimation(ExactBenchmark.STANDARD, 28, 7)))
          .isBetween(plainSecond / 10, plain);
    }
  }
}
