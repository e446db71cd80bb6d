package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.Solver;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.FluxModulation;
import io.jitflow.flux.network.FluxTransformer;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What the JiT sampler itself costs: time of each kind of step outside the model, and the peak of
 * the memory that a run needs beyond its noise and its result.
 *
 * <p>The model is one multiplication, so that nothing hides behind it; a bundle adds the time of a
 * real transformer on the same tokens. {@code docs/benchmarks.md} has the command and its output.
 */
public final class SamplerBenchmark {
  private static final int CHANNELS = 64;
  private static final int[] SIDES = {32, 64, 128, 256};
  private static final int TEXT_TOKENS = 512;
  private static final double MEBI = 1 << 20;

  private SamplerBenchmark() {}

  /** The kinds of steps of a run. */
  private enum Kind {
    /** The first step: copies the noise, chooses the anchors, builds their lifter. */
    FIRST("first step"),
    /** A step in a sparse stage: select, step. */
    SPARSE("sparse step"),
    /** The last step of a stage whose successor is sparse: importance, micro-flow, next lifter. */
    ACTIVATION("boundary step"),
    /** The last sparse step: all remaining tokens join. */
    LAST_ACTIVATION("last boundary step"),
    /** A step of the last stage: nothing but the solver. */
    FULL("full step");

    final String title;

    Kind(String title) {
      this.title = title;
    }

    static Kind of(List<SamplingStep> steps, int i) {
      SamplingStep step = steps.get(i);
      boolean ends = i + 1 < steps.size() && steps.get(i + 1).stage() != step.stage();
      if (ends) {
        return step.stage() + 2 == step.stages() ? LAST_ACTIVATION : ACTIVATION;
      }
      if (step.stage() + 1 == step.stages()) {
        return FULL;
      }
      return i == 0 ? FIRST : SPARSE;
    }
  }

  /** What is measured. */
  public enum Subject {
    /** Time of each kind of step. */
    TIME,
    /** Peak of resident memory; needs an allocator that gives memory back at once. */
    MEMORY,
    /** Time of each step beside that of a real transformer. */
    TRANSFORMER,
    /** Quality in worlds whose pictures are known exactly; see {@link ExactBenchmark}. */
    EXACT,
    /** Settings that are good in those worlds; see {@link SettingsSearch}. */
    SEARCH,
    /** FLUX.1's transformer with random weights; see {@link DeviceBenchmark}. */
    DEVICE,
    /** Inpainting with all and with few tokens of the kept part; see {@link EditingBenchmark}. */
    INPAINTING,
    /** Two passes against one; see {@link EditingBenchmark}. */
    PASSES,
    /** What a preview costs; see {@link EditingBenchmark}. */
    PREVIEWS,
    /** Memory of a pipeline of its widths under a policy; see {@link PolicyBenchmark}. */
    POLICY
  }

  /**
   * Measures with the trivial model and prints a Markdown table.
   *
   * @param out where to print
   * @param subject time or memory
   * @param repetitions how many measured runs per token count, at least 1
   */
  public static void run(PrintStream out, Subject subject, int repetitions) {
    if (repetitions < 1) {
      throw new IllegalArgumentException("at least 1 repetition is needed, got " + repetitions);
    }
    if (subject == Subject.TIME) {
      out.print("| tokens, solver |");
      for (Kind kind : Kind.values()) {
        out.printf(" %s |", kind.title);
      }
      out.println(" plain step |");
      out.println("|---".repeat(Kind.values().length + 2) + "|");
    } else {
      out.println(
          "| tokens | one latent, MiB | JiT, Euler, latents | JiT, second order | plain, Euler |"
              + " plain, second order |");
      out.println("|---|---|---|---|---|---|");
    }
    for (int side : SIDES) {
      TokenGrid grid = new TokenGrid(side, side);
      if (subject == Subject.TIME) {
        time(out, grid, repetitions);
      } else {
        memory(out, grid, repetitions);
      }
    }
  }

  private static VelocityModel trivial() {
    return (tokens, at, sigma) -> tokens.mul(0.5f);
  }

  /** Milliseconds outside the model: by the clock, and as the thread's own computing time. */
  private record Cost(double clock, double computing) {}

  private static void time(PrintStream out, TokenGrid grid, int repetitions) {
    for (Solver solver : Solver.values()) {
      Sampler jit = new JitSampler(JitConfig.default7x().withSolver(solver));
      Sampler plain = new PlainSampler(JitConfig.default7x().schedule(), 11, solver);
      Map<Kind, List<Cost>> kinds = outside(jit, grid, repetitions);
      List<Cost> full = outside(plain, grid, repetitions).get(Kind.FULL);
      out.printf("| %,d, %s |", grid.tokens(), solver == Solver.EULER ? "Euler" : "second order");
      for (Kind kind : Kind.values()) {
        out.printf(" %s |", summary(kinds.get(kind)));
      }
      out.printf(" %s |%n", summary(full));
      out.flush();
    }
  }

  /** The cost of every step, by kind. */
  private static Map<Kind, List<Cost>> outside(Sampler sampler, TokenGrid grid, int repetitions) {
    Map<Kind, List<Cost>> outside = new EnumMap<>(Kind.class);
    int warmUp = 3 + 20_000 / grid.tokens();
    try (NDManager manager = NDManager.newBaseManager()) {
      SamplingRequest request = SamplingRequest.seeded(manager, grid, CHANNELS, 1);
      for (int run = 0; run < warmUp + repetitions; run++) {
        List<SamplingStep> steps = new ArrayList<>();
        ComputingTime thread = new ComputingTime();
        List<Long> computing = new ArrayList<>();
        SamplingListener listener =
            step -> {
              steps.add(step);
              computing.add(thread.outsideModel());
            };
        sampler.sample(thread.of(trivial()), request.withListener(listener)).close();
        Duration before = Duration.ZERO;
        for (int i = 0; run >= warmUp && i < steps.size(); i++) {
          SamplingStep step = steps.get(i);
          Duration clock = step.elapsed().minus(before).minus(step.modelTime());
          outside
              .computeIfAbsent(Kind.of(steps, i), kind -> new ArrayList<>())
              .add(new Cost(clock.toNanos() / 1e6, computing.get(i) / 1e6));
          before = step.elapsed();
        }
      }
    }
    return outside;
  }

  /**
   * The computing time of the sampling thread, which is all of it with one engine thread. Other
   * programs on the machine do not add to it as they do to the clock.
   */
  private static final class ComputingTime {
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private long last = threads.getCurrentThreadCpuTime();
    private long model;

    VelocityModel of(VelocityModel inner) {
      return (tokens, at, sigma) -> {
        long before = threads.getCurrentThreadCpuTime();
        NDArray velocity = inner.velocity(tokens, at, sigma);
        model = threads.getCurrentThreadCpuTime() - before;
        return velocity;
      };
    }

    /** Nanoseconds since the step before, less the model's. */
    long outsideModel() {
      long now = threads.getCurrentThreadCpuTime();
      long outside = now - last - model;
      last = now;
      return outside;
    }
  }

  private static String summary(List<Cost> costs) {
    List<Double> clock = costs.stream().map(Cost::clock).toList();
    return "%.2f / %.2f / %.2f"
        .formatted(
            clock.stream().min(Double::compare).orElseThrow(),
            Amounts.median(clock),
            Amounts.median(costs.stream().map(Cost::computing).toList()));
  }

  private static void memory(PrintStream out, TokenGrid grid, int repetitions) {
    double latent = 4.0 * CHANNELS * grid.tokens();
    JitConfig second = JitConfig.default7x().withSolver(Solver.ADAMS_BASHFORTH_2);
    Sampler euler = new EulerSampler(second.schedule(), 11);
    Sampler plain = new PlainSampler(second.schedule(), 11, Solver.ADAMS_BASHFORTH_2);
    out.printf(
        "| %,d | %.2f | %s | %s | %s | %s |%n",
        grid.tokens(),
        latent / MEBI,
        peak(JitSampler.preset7x(), grid, repetitions, latent),
        peak(new JitSampler(second), grid, repetitions, latent),
        peak(euler, grid, repetitions, latent),
        peak(plain, grid, repetitions, latent));
    out.flush();
  }

  private static String peak(Sampler sampler, TokenGrid grid, int repetitions, double latent) {
    List<Double> peaks = new ArrayList<>();
    try (NDManager manager = NDManager.newBaseManager()) {
      SamplingRequest request = SamplingRequest.seeded(manager, grid, CHANNELS, 1);
      for (int run = 0; run < 3 + repetitions; run++) {
        OptionalLong before = ProcessMemory.resetPeak();
        NDArray result = sampler.sample(trivial(), request);
        OptionalLong peak = ProcessMemory.peak();
        result.close();
        if (before.isEmpty() || peak.isEmpty()) {
          return "not measurable here";
        }
        if (run >= 3) {
          peaks.add((peak.getAsLong() - before.getAsLong()) / latent - 1);
        }
      }
    }
    return "%.2f".formatted(Amounts.median(peaks));
  }

  /**
   * Runs a converted model's transformer under the sampler and prints a Markdown table.
   *
   * @param out where to print
   * @param folder the bundle
   * @throws IOException if the bundle cannot be read
   */
  public static void transformer(PrintStream out, Path folder) throws IOException {
    FluxBundle bundle = FluxBundle.read(folder);
    FluxArchitecture sizes = bundle.transformer();
    try (NDManager manager = NDManager.newBaseManager();
        FluxModulation modulation =
            FluxModulation.load(bundle.requireModulation(), manager.getDevice(), sizes);
        FluxTransformer transformer =
            FluxTransformer.load(
                bundle.file(FluxNetwork.TRANSFORMER), manager.getDevice(), sizes)) {
      TorchNoise random = new TorchNoise(2);
      NDArray text = random.draw(manager, new Shape(1, TEXT_TOKENS, sizes.textWidth()));
      NDArray pooled = random.draw(manager, new Shape(1, sizes.pooledWidth()));
      Map<Double, NDArray> rows = new HashMap<>(); // the first run fills it
      VelocityModel model =
          (tokens, at, sigma) ->
              transformer.velocity(
                  tokens,
                  at.positions(),
                  text,
                  rows.computeIfAbsent(
                      sigma, level -> modulation.rows(pooled, new double[] {level}, 3.5)));
      out.printf(
          "The transformer of the bundle, width %d, %d + %d blocks, %d text tokens: ms per"
              + " step%n%n",
          sizes.hiddenSize(), sizes.doubleBlocks(), sizes.singleBlocks(), TEXT_TOKENS);
      out.println("| tokens | step | active | model | outside |");
      out.println("|---|---|---|---|---|");
      for (int side : new int[] {32, 64}) {
        TokenGrid grid = new TokenGrid(side, side);
        SamplingRequest request = SamplingRequest.seeded(manager, grid, sizes.inChannels(), 1);
        List<SamplingStep> steps = new ArrayList<>();
        JitSampler.preset7x().sample(model, request).close();
        JitSampler.preset7x().sample(model, request.withListener(steps::add)).close();
        Duration before = Duration.ZERO;
        for (SamplingStep step : steps) {
          Duration outside = step.elapsed().minus(before).minus(step.modelTime());
          out.printf(
              "| %,d | %d | %,d | %.1f | %.1f |%n",
              grid.tokens(),
              step.step(),
              step.active().count(),
              step.modelTime().toNanos() / 1e6,
              outside.toNanos() / 1e6);
          before = step.elapsed();
        }
      }
      ModulationTime.print(out, manager, modulation, sizes.pooledWidth());
    }
  }
}
