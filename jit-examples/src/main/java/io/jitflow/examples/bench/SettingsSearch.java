package io.jitflow.examples.bench;

import ai.djl.ndarray.NDManager;
import io.jitflow.core.Sampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitConfig.FirstAnchors;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.Stage;
import io.jitflow.core.token.TokenGrid;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Searches exact worlds for settings of JiT with the solver of second order that are good in the
 * worst of them.
 *
 * <p>Tried are all stages of the listed densities, with 1 to 8 steps each and at least 2 in the
 * first and the last one, and the listed Beta schedules, that cost between nine tenths of what the
 * speed-up allows and all of it. A first stage of one step would leave the second step the velocity
 * of sparser tokens to extrapolate from, which no exact world minds and a trained network does. All
 * are measured on the first grid; the best of them, and the settings that {@link
 * JitConfig#forSpeedup} gives, on the others too. A setting's figure is its distance as a multiple
 * of the smallest one in that world, in the world where that is largest.
 */
public final class SettingsSearch {
  /** Below, even 8 steps of every stage cost less than nine tenths of what is allowed. */
  public static final int LEAST_SPEEDUP = 3;

  private static final double[][] DENSITIES = {
    {0.3, 1}, {0.25, 0.5, 1}, {0.3, 0.6, 1}, {0.35, 0.65, 1}, {0.25, 0.5, 0.75, 1}
  };
  private static final double[][] SCHEDULES = {
    {0.9, 0.4}, {1, 0.45}, {1.1, 0.5}, {1.2, 0.5}, {1.4, 0.42}
  };
  private static final int MOST_STEPS = 8;
  private static final int FEWEST_FIRST_STEPS = 2;
  private static final int FEWEST_LAST_STEPS = 2;
  private static final double LEAST_SPENT = 0.9;
  private static final double STANDARD_STEPS = 50;
  private static final double ROUNDING = 1e-9;

  /**
   * Which settings are sought.
   *
   * @param grids the sizes of the worlds; everything is tried on the first one
   * @param firstEnd the noise level above which the first stage must end; a bundle's own is told by
   *     {@link ContextProbe}, 0 asks for nothing
   * @param finalists how many settings are tried on the other grids, and printed
   */
  public record Scope(List<TokenGrid> grids, double firstEnd, int finalists) {
    public Scope {
      grids = List.copyOf(grids);
    }
  }

  /** Settings and their distances, world by world. */
  private static final class Candidate {
    private final JitConfig config;
    private final List<Double> frechet = new ArrayList<>();

    Candidate(JitConfig config) {
      this.config = config;
    }
  }

  private final PrintWriter out;
  private final Scope scope;

  private SettingsSearch(PrintWriter out, Scope scope) {
    this.out = out;
    this.scope = scope;
  }

  /**
   * Searches and prints a Markdown table per speed-up.
   *
   * @param out where to print
   * @param speedups how many times less than 50 full steps the settings shall cost
   * @param scope what is tried
   * @throws IllegalArgumentException as {@link #check}
   */
  public static void run(PrintWriter out, List<Integer> speedups, Scope scope) {
    check(speedups, scope.firstEnd);
    SettingsSearch search = new SettingsSearch(out, scope);
    try (NDManager manager = NDManager.newBaseManager()) {
      Map<TokenGrid, List<ExactWorld>> worlds = new LinkedHashMap<>();
      scope.grids.forEach(grid -> worlds.put(grid, ExactWorld.worlds(manager, grid)));
      speedups.forEach(speedup -> search.run(speedup, worlds));
    }
  }

  /**
   * Checks that there is something to try; the shipped settings would win against nothing.
   *
   * @param speedups how many times less than 50 full steps the settings shall cost
   * @param firstEnd the noise level above which the first stage must end
   * @throws IllegalArgumentException if no settings cost that and end their first stage so early
   */
  public static void check(List<Integer> speedups, double firstEnd) {
    for (int speedup : speedups) {
      if (settings(speedup, firstEnd).isEmpty()) {
        throw new IllegalArgumentException(
            "nothing to try for %dx with a first stage that ends at %s or above; lower one of them"
                .formatted(speedup, firstEnd));
      }
    }
  }

  private void run(int speedup, Map<TokenGrid, List<ExactWorld>> worlds) {
    JitConfig preset = JitConfig.forSpeedup(speedup);
    List<Candidate> all =
        settings(speedup, scope.firstEnd).stream().map(Candidate::new).collect(Collectors.toList());
    if (all.stream().noneMatch(candidate -> candidate.config.equals(preset))) {
      all.add(new Candidate(preset));
    }
    int tried = all.size();
    List<Candidate> left = all;
    for (TokenGrid grid : scope.grids) {
      for (Candidate candidate : left) {
        Sampler sampler = ExactBenchmark.linear(new JitSampler(candidate.config));
        worlds.get(grid).forEach(world -> candidate.frechet.add(world.frechet(sampler)));
      }
      double[] smallest = smallest(left);
      List<Candidate> ranked =
          left.stream()
              .sorted(Comparator.comparingDouble(candidate -> worst(candidate, smallest)))
              .toList();
      left =
          IntStream.range(0, ranked.size())
              .filter(k -> k < scope.finalists || ranked.get(k).config.equals(preset))
              .mapToObj(ranked::get)
              .toList();
    }
    print(speedup, tried, left, preset);
  }

  /** The smallest distance in every world. */
  private static double[] smallest(List<Candidate> candidates) {
    return IntStream.range(0, candidates.get(0).frechet.size())
        .mapToDouble(
            world -> candidates.stream().mapToDouble(c -> c.frechet.get(world)).min().orElseThrow())
        .toArray();
  }

  private static double worst(Candidate candidate, double[] smallest) {
    return IntStream.range(0, smallest.length)
        .mapToDouble(world -> candidate.frechet.get(world) / smallest[world])
        .max()
        .orElseThrow();
  }

  /**
   * The settings that are tried.
   *
   * @param speedup how many times less than 50 full steps they cost at least
   * @param firstEnd the noise level above which their first stage ends
   */
  static List<JitConfig> settings(double speedup, double firstEnd) {
    List<JitConfig> settings = new ArrayList<>();
    double most = STANDARD_STEPS / speedup;
    for (double[] densities : DENSITIES) {
      for (int[] steps : steps(densities.length)) {
        double cost = cost(steps, densities);
        if (cost > most + ROUNDING || cost < LEAST_SPENT * most) {
          continue;
        }
        for (double[] beta : SCHEDULES) {
          SigmaSchedule schedule = SigmaSchedule.beta(beta[0], beta[1]);
          JitConfig config = JitConfig.ofSteps(steps, densities).withSchedule(schedule);
          if (sigmas(config)[steps[0]] >= firstEnd) {
            settings.add(
                config
                    .withSolver(Solver.ADAMS_BASHFORTH_2)
                    .withFirstAnchors(FirstAnchors.EVEN_SPREAD));
          }
        }
      }
    }
    return settings;
  }

  /** All numbers of steps of some stages. */
  private static List<int[]> steps(int stages) {
    List<int[]> all = new ArrayList<>();
    int combinations = (int) Math.pow(MOST_STEPS, stages);
    for (int k = 0; k < combinations; k++) {
      int[] steps = new int[stages];
      for (int s = 0, rest = k; s < stages; s++, rest /= MOST_STEPS) {
        steps[s] = 1 + rest % MOST_STEPS;
      }
      if (steps[0] >= FEWEST_FIRST_STEPS && steps[stages - 1] >= FEWEST_LAST_STEPS) {
        all.add(steps);
      }
    }
    return all;
  }

  private static double cost(int[] steps, double[] densities) {
    return IntStream.range(0, steps.length).mapToDouble(s -> steps[s] * densities[s]).sum();
  }

  /** Beta schedules do not depend on the size of the grid. */
  private static double[] sigmas(JitConfig config) {
    return config.schedule().sigmas(config.steps(), 1);
  }

  private static int[] steps(JitConfig config) {
    int[] steps = new int[config.stages().size()];
    int before = 0;
    for (int s = 0; s < steps.length; s++) {
      int done = (int) (config.stages().get(s).end() * config.steps());
      steps[s] = done - before;
      before = done;
    }
    return steps;
  }

  private static double[] densities(JitConfig config) {
    return config.stages().stream().mapToDouble(Stage::density).toArray();
  }

  private static String ends(JitConfig config) {
    int[] steps = steps(config);
    double[] sigmas = sigmas(config);
    List<String> ends = new ArrayList<>();
    for (int s = 0, done = 0; s < steps.length - 1; s++) {
      done += steps[s];
      ends.add("%.2f".formatted(sigmas[done]));
    }
    return String.join(", ", ends);
  }

  private void print(int speedup, int tried, List<Candidate> best, JitConfig preset) {
    out.printf("%dx, %,d settings%n%n", speedup, tried);
    out.print("| steps | densities | schedule | cost | stages end at |");
    for (TokenGrid grid : scope.grids) {
      out.printf(" %s: alpha 2 | 2.5 | 3 |", grid);
    }
    out.println(" worst |");
    out.println("|---".repeat(6 + 3 * scope.grids.size()) + "|");
    double[] smallest = smallest(best);
    best.stream()
        .sorted(Comparator.comparingDouble(candidate -> worst(candidate, smallest)))
        .forEach(candidate -> print(candidate, worst(candidate, smallest), preset));
    out.println();
    out.flush();
  }

  private void print(Candidate candidate, double worst, JitConfig preset) {
    JitConfig config = candidate.config;
    SigmaSchedule.Beta schedule = (SigmaSchedule.Beta) config.schedule();
    double[] densities = densities(config);
    out.printf(
        Locale.ROOT,
        "| %s%s | %s | Beta(%s, %s) | %.2f | %s |",
        list(Arrays.stream(steps(config)).boxed().toList()),
        config.equals(preset) ? ", the preset" : "",
        list(Arrays.stream(densities).boxed().toList()),
        schedule.alpha(),
        schedule.beta(),
        cost(steps(config), densities),
        ends(config));
    candidate.frechet.forEach(value -> out.printf(Locale.ROOT, " %.5f |", value));
    out.printf(Locale.ROOT, " %.2f |%n", worst);
  }

  private static String list(List<?> values) {
    return values.stream().map(String::valueOf).collect(Collectors.joining(", "));
  }
}
