package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDManager;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
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
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The samplers, through their public interface, against formulas of another program. */
class ExactWorldTest {
  private static final Path EXPECTED =
      Path.of(System.getProperty("jit.fixtures")).resolve("exact-world/expected-20.txt");
  private static final Pattern ROW =
      Pattern.compile("(.*?) {2,}[0-9.]+ +([0-9.]+) +([0-9.]+) +([0-9.]+)");

  /** The file has five decimals. */
  private static final double ROUNDING = 1e-5;

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
  private static double tolerance(String name) {
    if (name.equals("full, 5 steps, order 2")) {
      return 0.02; // the solver's limit of the ratio of steps
    }
    if (name.startsWith("full")) {
      return 0.01;
    }
    return name.endsWith("order 1") ? 0.03 : name.contains("13x") ? 0.4 : 0.25;
  }

  @TestFactory
  Stream<DynamicTest> frechet_ofEverySampler_isThatOfTheReference() throws IOException {
    Map<String, double[]> expected = expected();
    List<DynamicTest> tests = new ArrayList<>();
    for (NamedSampler row : ExactBenchmark.reference()) {
      double[] values = expected.get(row.name());
      assertThat(values).as(row.name()).isNotNull();
      boolean cheap = row.sampler().steps() < 50;
      if (cheap) {
        tests.add(DynamicTest.dynamicTest(row.name(), () -> compare(row, values[0])));
      }
    }
    assertThat(tests).hasSize(18);
    return tests.stream();
  }

  private static void compare(NamedSampler row, double expected) {
    try (NDManager manager = NDManager.newBaseManager();
        ExactWorld world = new ExactWorld(manager, new TokenGrid(20, 20), 2, 0.25)) {
      assertThat(world.frechet(row.sampler()))
          .isCloseTo(expected, within(expected * tolerance(row.name()) + ROUNDING));
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
