package io.jitflow.examples.bench;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitConfig.Activation;
import io.jitflow.core.jit.JitConfig.FirstAnchors;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.jit.JitSampler;
import java.util.ArrayList;
import java.util.List;

/**
 * A sampler as it stands in tables and charts.
 *
 * @param method the name of its line in a chart
 * @param name the name of its row in a table
 * @param sampler the sampler
 */
public record NamedSampler(String method, String name, Sampler sampler) {

  private static final String SETTINGS = "JiT, one setting changed";

  /** Steps of the plain samplers in the comparison. */
  private static final int[] STEPS = {50, 28, 12, 7, 5};

  /** All that the sampler was told, as text: what is measured changes with it. */
  public String settings() {
    return sampler.toString();
  }

  /** Whether it takes steps on the whole grid and nothing else. */
  public boolean isPlain() {
    return sampler instanceof EulerSampler || sampler instanceof PlainSampler;
  }

  /**
   * Every sampler of the comparison; the first is the usual one, 50 Euler steps.
   *
   * @param standard the model's own noise levels
   */
  public static List<NamedSampler> all(SigmaSchedule standard) {
    List<NamedSampler> all = new ArrayList<>(plain(standard));
    all.addAll(jit());
    all.addAll(baselines(standard));
    return all;
  }

  /** Plain samplers of first and of second order. */
  public static List<NamedSampler> plain(SigmaSchedule standard) {
    List<NamedSampler> all = new ArrayList<>();
    for (int steps : STEPS) {
      all.add(
          new NamedSampler(
              "Euler", "Euler, %d steps".formatted(steps), new EulerSampler(standard, steps)));
    }
    for (int steps : STEPS) {
      all.add(
          new NamedSampler(
              "second order",
              "second order, %d steps".formatted(steps),
              new PlainSampler(standard, steps, Solver.ADAMS_BASHFORTH_2)));
    }
    return all;
  }

  /** JiT as released, as in the paper, and with the solver of second order. */
  public static List<NamedSampler> jit() {
    List<NamedSampler> all = new ArrayList<>();
    for (String speed : List.of("4x", "7x")) {
      JitConfig paper = JitConfig.preset("default_" + speed);
      all.add(jit("JiT as released", speed + " as released", paper.asReleased()));
      all.add(jit("JiT as in the paper", speed + " as in the paper", paper));
      all.add(
          jit(
              "JiT as in the paper, second order",
              speed + " as in the paper, second order",
              paper.withSolver(Solver.ADAMS_BASHFORTH_2)));
    }
    for (int speedup : new int[] {4, 7, 10, 13}) {
      all.add(
          jit("JiT, our settings", "%dx, ours".formatted(speedup), JitConfig.forSpeedup(speedup)));
    }
    return all;
  }

  /** The paper's settings, 7x, with one of them changed. */
  public static List<NamedSampler> oneChanged(SigmaSchedule standard) {
    JitConfig paper = JitConfig.default7x();
    JitConfig released = paper.asReleased();
    List<NamedSampler> all = new ArrayList<>();
    all.add(jit(SETTINGS, "7x as released", released));
    all.add(jit(SETTINGS, "7x as in the paper", paper));
    all.add(
        jit(SETTINGS, "7x released, exact micro-flow", released.withMicroFlow(paper.microFlow())));
    all.add(
        jit(
            SETTINGS,
            "7x released, narrow blur, averaged ties",
            released.withBlurWidth(paper.blurWidth()).withTiedAnchors(paper.tiedAnchors())));
    all.add(
        jit(
            SETTINGS,
            "7x released, initial noise",
            released.withTransitionNoise(TransitionNoise.INITIAL)));
    all.add(
        jit(SETTINGS, "7x paper, fresh noise", paper.withTransitionNoise(TransitionNoise.FRESH)));
    all.add(jit(SETTINGS, "7x paper, the model's own schedule", paper.withSchedule(standard)));
    JitConfig second = paper.withSolver(Solver.ADAMS_BASHFORTH_2);
    all.add(jit(SETTINGS, "7x second order", second));
    for (FirstAnchors anchors : FirstAnchors.values()) {
      all.add(jit(SETTINGS, "7x second order, " + anchors, second.withFirstAnchors(anchors)));
    }
    all.add(
        jit(
            SETTINGS,
            "7x second order, even spread joins",
            second.withActivation(Activation.EVEN_SPREAD)));
    return all;
  }

  private static NamedSampler jit(String method, String name, JitConfig config) {
    return new NamedSampler(method, "JiT " + name, new JitSampler(config));
  }

  /** Other ways to spend less. */
  public static List<NamedSampler> baselines(SigmaSchedule standard) {
    List<NamedSampler> all = new ArrayList<>();
    for (int[] steps : new int[][] {{8, 10}, {8, 5}, {4, 4}}) {
      all.add(
          new NamedSampler(
              "low resolution first",
              "low resolution first, %d + %d steps".formatted(steps[0], steps[1]),
              new LowResolutionFirst(SigmaSchedule.beta(1.2, 0.5), steps[0], steps[1])));
    }
    for (int evaluations : new int[] {12, 7, 5}) {
      all.add(
          new NamedSampler(
              "VDE",
              "VDE, 50 steps, %d evaluated".formatted(evaluations),
              new VelocityEstimation(standard, 50, evaluations)));
    }
    return all;
  }
}
