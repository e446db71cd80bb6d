package io.jitflow.core.jit;

import io.jitflow.core.Checks;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.token.TokenGrid;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The settings of the Just-in-Time sampler, checked when made. Immutable; changed by copies.
 *
 * <p>{@link #default4x()} and {@link #default7x()} follow the paper. {@link #forSpeedup} gives
 * settings chosen by measurement, with a solver of second order. {@link #asReleased()} changes
 * every setting in which the authors' release departs from it, and only those: schedule, blur
 * width, tied anchors, importance border, micro-flow and transition noise; and steps by Euler's
 * rule.
 */
public final class JitConfig {
  private static final double STANDARD_STEPS = 50;
  private static final double SLOWEST = 2;
  private static final double FASTEST = 14;

  private static final Map<String, JitConfig> PRESETS = new LinkedHashMap<>();

  /** Settings chosen by measurement, and how many times less than 50 steps they cost. */
  private static final NavigableMap<Double, JitConfig> MEASURED = new TreeMap<>();

  static {
    PRESETS.put("default_4x", default4x());
    PRESETS.put("default_7x", default7x());
    // steps and densities of the stages; docs/quality.md tells how they were chosen
    measured(0.9, 0.4, new int[] {4, 4, 5, 11}, 0.25, 0.5, 0.75, 1);
    measured(0.9, 0.4, new int[] {3, 3, 3, 7}, 0.25, 0.5, 0.75, 1);
    measured(1.0, 0.45, new int[] {2, 2, 3, 5}, 0.25, 0.5, 0.75, 1);
    measured(1.0, 0.45, new int[] {3, 2, 6}, 0.3, 0.6, 1);
    measured(1.1, 0.5, new int[] {2, 2, 5}, 0.3, 0.6, 1);
    measured(1.1, 0.5, new int[] {2, 2, 4}, 0.3, 0.6, 1);
    measured(1.1, 0.5, new int[] {2, 2, 3}, 0.3, 0.6, 1);
    measured(1.2, 0.5, new int[] {2, 2, 2}, 0.25, 0.5, 1);
    for (int speedup : new int[] {4, 7, 10, 13}) {
      PRESETS.put("second_order_%dx".formatted(speedup), forSpeedup(speedup));
    }
  }

  private static void measured(double alpha, double beta, int[] steps, double... densities) {
    int all = Arrays.stream(steps).sum();
    Stage[] stages = new Stage[steps.length];
    int done = 0;
    double cost = 0;
    for (int s = 0; s < stages.length; s++) {
      done += steps[s];
      cost += steps[s] * densities[s];
      // half a step further, so that no rounding moves a boundary
      double end = s == stages.length - 1 ? 1 : (done + 0.5) / all;
      stages[s] = new Stage(end, densities[s]);
    }
    MEASURED.put(
        STANDARD_STEPS / cost,
        of(all, stages)
            .withSchedule(SigmaSchedule.beta(alpha, beta))
            .withSolver(Solver.ADAMS_BASHFORTH_2)
            .withFirstAnchors(FirstAnchors.EVEN_SPREAD));
  }

  private final int steps;
  private final List<Stage> stages;
  private final SigmaSchedule schedule;
  private final Solver solver;
  private final FirstAnchors firstAnchors;
  private final Activation activation;
  private final ImportanceBorder importanceBorder;
  private final BlurWidth blurWidth;
  private final TiedAnchors tiedAnchors;
  private final MicroFlow microFlow;
  private final TransitionNoise transitionNoise;
  private final StageRules stageRules;

  private JitConfig(Draft draft) {
    steps = draft.steps;
    stages = List.copyOf(draft.stages);
    schedule = Objects.requireNonNull(draft.schedule, "schedule");
    solver = Objects.requireNonNull(draft.solver, "solver");
    firstAnchors = Objects.requireNonNull(draft.firstAnchors, "firstAnchors");
    activation = Objects.requireNonNull(draft.activation, "activation");
    importanceBorder = Objects.requireNonNull(draft.importanceBorder, "importanceBorder");
    blurWidth = Objects.requireNonNull(draft.blurWidth, "blurWidth");
    tiedAnchors = Objects.requireNonNull(draft.tiedAnchors, "tiedAnchors");
    microFlow = Objects.requireNonNull(draft.microFlow, "microFlow");
    transitionNoise = Objects.requireNonNull(draft.transitionNoise, "transitionNoise");
    stageRules = Objects.requireNonNull(draft.stageRules, "stageRules");
    StagePlan.check(steps, stages, stageRules);
    if (solver != Solver.EULER && microFlow.relaxSteps() != 1) {
      throw new IllegalArgumentException(
          "the solver %s needs MicroFlow.exact(), got %s: a partial micro-flow leaves joining tokens off the straight path that gives them a velocity history; use the exact one, or Solver.EULER"
              .formatted(solver, microFlow));
    }
  }

  /**
   * Makes settings as in the paper.
   *
   * @param steps the number of model evaluations
   * @param stages the stages in the order in which they run
   * @return the settings
   * @throws IllegalArgumentException if a stage gets no step, stage ends or densities do not rise,
   *     or the last stage does not end at 1 with density 1
   */
  public static JitConfig of(int steps, Stage... stages) {
    Draft draft = new Draft();
    draft.steps = steps;
    draft.stages = List.of(stages);
    return new JitConfig(draft);
  }

  /**
   * Returns the paper's preset for about a quarter of the computation of 50 full steps: 18 steps,
   * 7, 4 and 7 of them at densities 0.35, 0.62 and 1.
   *
   * @return the preset {@code default_4x}
   */
  public static JitConfig default4x() {
    return of(18, new Stage(0.4, 0.35), new Stage(0.65, 0.62), new Stage(1, 1));
  }

  /**
   * Returns the paper's preset for about a seventh of the computation of 50 full steps: 11 steps,
   * 4, 3 and 4 of them at densities 0.32, 0.6 and 1.
   *
   * @return the preset {@code default_7x}
   */
  public static JitConfig default7x() {
    return of(11, new Stage(0.4, 0.32), new Stage(0.65, 0.6), new Stage(1, 1));
  }

  /**
   * Returns settings chosen by measurement for a speed-up: a solver of second order, and stages and
   * noise levels that were best in worlds whose pictures are known exactly among those that also
   * hold on a trained network ({@code docs/quality.md}). A handful of settings serves the whole
   * range: the one with the most work that saves as much as is asked for.
   *
   * @param speedup how many times less than 50 full steps the network shall compute, counted in
   *     evaluated tokens (attention makes it more); from 2 to 14
   * @return the settings
   * @throws IllegalArgumentException if the speed-up is out of range
   */
  public static JitConfig forSpeedup(double speedup) {
    Checks.argument(
        speedup >= SLOWEST && speedup <= FASTEST,
        "there are settings for speed-ups from %s to %s, got %s; below, use fewer steps of PlainSampler",
        SLOWEST,
        FASTEST,
        speedup);
    return MEASURED.ceilingEntry(speedup).getValue();
  }

  /**
   * Returns a preset by its name.
   *
   * @param name one of {@link #presets()}
   * @return the preset
   * @throws IllegalArgumentException if there is none of that name
   */
  public static JitConfig preset(String name) {
    JitConfig preset = PRESETS.get(name);
    if (preset == null) {
      throw new IllegalArgumentException(
          "unknown preset \"%s\"; there are %s".formatted(name, String.join(", ", presets())));
    }
    return preset;
  }

  /**
   * Returns the names of the presets.
   *
   * @return the names, the paper's first
   */
  public static List<String> presets() {
    return List.copyOf(PRESETS.keySet());
  }

  /**
   * Returns these settings with every departure of the authors' release from the paper, and its
   * solver.
   *
   * @return settings that reproduce the release
   */
  public JitConfig asReleased() {
    return withSolver(Solver.EULER)
        .withSchedule(SigmaSchedule.beta(1.4, 0.425))
        .withImportanceBorder(ImportanceBorder.ZERO_PADDED)
        .withBlurWidth(BlurWidth.CLIPPED)
        .withTiedAnchors(TiedAnchors.FIRST_IN_LIST)
        .withMicroFlow(MicroFlow.partial(3))
        .withTransitionNoise(TransitionNoise.FRESH);
  }

  /**
   * Plans the stages on a grid.
   *
   * @param grid the token grid
   * @return which step is in which stage, and how many tokens each stage evaluates
   * @throws IllegalArgumentException if a stage has no token on that grid, or adds none
   */
  StagePlan plan(TokenGrid grid) {
    return StagePlan.of(steps, stages, grid, stageRules);
  }

  /**
   * Returns the number of model evaluations.
   *
   * @return at least 1
   */
  public int steps() {
    return steps;
  }

  /**
   * Returns the stages in the order in which they run.
   *
   * @return an unmodifiable list
   */
  public List<Stage> stages() {
    return stages;
  }

  /**
   * Returns the noise levels.
   *
   * @return the setting
   */
  public SigmaSchedule schedule() {
    return schedule;
  }

  /**
   * Returns how it steps from one noise level to the next.
   *
   * @return the setting
   */
  public Solver solver() {
    return solver;
  }

  /**
   * Returns the rule for the first stage's anchors.
   *
   * @return the setting
   */
  public FirstAnchors firstAnchors() {
    return firstAnchors;
  }

  /**
   * Returns which tokens join at a boundary.
   *
   * @return the setting
   */
  public Activation activation() {
    return activation;
  }

  /**
   * Returns what the importance map sees outside the grid.
   *
   * @return the setting
   */
  public ImportanceBorder importanceBorder() {
    return importanceBorder;
  }

  /**
   * Returns the width of the lifter's Gaussian.
   *
   * @return the setting
   */
  public BlurWidth blurWidth() {
    return blurWidth;
  }

  /**
   * Returns what positions with several nearest anchors take.
   *
   * @return the setting
   */
  public TiedAnchors tiedAnchors() {
    return tiedAnchors;
  }

  /**
   * Returns how joining tokens reach their target.
   *
   * @return the setting
   */
  public MicroFlow microFlow() {
    return microFlow;
  }

  /**
   * Returns the noise in the joining tokens' target.
   *
   * @return the setting
   */
  public TransitionNoise transitionNoise() {
    return transitionNoise;
  }

  /**
   * Returns which stage configurations are refused.
   *
   * @return the setting
   */
  public StageRules stageRules() {
    return stageRules;
  }

  /**
   * Returns these settings with another number of steps.
   *
   * @param steps the number of model evaluations
   * @return the changed settings
   */
  public JitConfig withSteps(int steps) {
    return with(draft -> draft.steps = steps);
  }

  /**
   * Returns these settings with other stages.
   *
   * @param stages the stages in the order in which they run
   * @return the changed settings
   */
  public JitConfig withStages(Stage... stages) {
    return with(draft -> draft.stages = List.of(stages));
  }

  /**
   * Returns these settings with another schedule.
   *
   * @param schedule the noise levels
   * @return the changed settings
   */
  public JitConfig withSchedule(SigmaSchedule schedule) {
    return with(draft -> draft.schedule = schedule);
  }

  /**
   * Returns these settings with another solver.
   *
   * @param solver how it steps from one noise level to the next
   * @return the changed settings
   */
  public JitConfig withSolver(Solver solver) {
    return with(draft -> draft.solver = solver);
  }

  /**
   * Returns these settings with another rule for the first anchors.
   *
   * @param firstAnchors the rule for the first stage's anchors
   * @return the changed settings
   */
  public JitConfig withFirstAnchors(FirstAnchors firstAnchors) {
    return with(draft -> draft.firstAnchors = firstAnchors);
  }

  /**
   * Returns these settings with another activation.
   *
   * @param activation which tokens join at a boundary
   * @return the changed settings
   */
  public JitConfig withActivation(Activation activation) {
    return with(draft -> draft.activation = activation);
  }

  /**
   * Returns these settings with another importance border.
   *
   * @param importanceBorder what the importance map sees outside the grid
   * @return the changed settings
   */
  public JitConfig withImportanceBorder(ImportanceBorder importanceBorder) {
    return with(draft -> draft.importanceBorder = importanceBorder);
  }

  /**
   * Returns these settings with another blur width.
   *
   * @param blurWidth the width of the lifter's Gaussian
   * @return the changed settings
   */
  public JitConfig withBlurWidth(BlurWidth blurWidth) {
    return with(draft -> draft.blurWidth = blurWidth);
  }

  /**
   * Returns these settings with another treatment of tied anchors.
   *
   * @param tiedAnchors what positions with several nearest anchors take
   * @return the changed settings
   */
  public JitConfig withTiedAnchors(TiedAnchors tiedAnchors) {
    return with(draft -> draft.tiedAnchors = tiedAnchors);
  }

  /**
   * Returns these settings with another micro-flow.
   *
   * @param microFlow how joining tokens reach their target
   * @return the changed settings
   */
  public JitConfig withMicroFlow(MicroFlow microFlow) {
    return with(draft -> draft.microFlow = microFlow);
  }

  /**
   * Returns these settings with another transition noise.
   *
   * @param transitionNoise the noise in the joining tokens' target
   * @return the changed settings
   */
  public JitConfig withTransitionNoise(TransitionNoise transitionNoise) {
    return with(draft -> draft.transitionNoise = transitionNoise);
  }

  /**
   * Returns these settings with other stage rules.
   *
   * @param stageRules which stage configurations are refused
   * @return the changed settings
   */
  public JitConfig withStageRules(StageRules stageRules) {
    return with(draft -> draft.stageRules = stageRules);
  }

  private JitConfig with(Consumer<Draft> change) {
    Draft draft = new Draft();
    draft.steps = steps;
    draft.stages = stages;
    draft.schedule = schedule;
    draft.solver = solver;
    draft.firstAnchors = firstAnchors;
    draft.activation = activation;
    draft.importanceBorder = importanceBorder;
    draft.blurWidth = blurWidth;
    draft.tiedAnchors = tiedAnchors;
    draft.microFlow = microFlow;
    draft.transitionNoise = transitionNoise;
    draft.stageRules = stageRules;
    change.accept(draft);
    return new JitConfig(draft);
  }

  private Object[] parts() {
    return new Object[] {
      steps,
      stages,
      schedule,
      solver,
      firstAnchors,
      activation,
      importanceBorder,
      blurWidth,
      tiedAnchors,
      microFlow,
      transitionNoise,
      stageRules
    };
  }

  /** Compares every setting. */
  @Override
  public boolean equals(Object other) {
    return other instanceof JitConfig that && Arrays.equals(parts(), that.parts());
  }

  /** Returns a hash of every setting. */
  @Override
  public int hashCode() {
    return Arrays.hashCode(parts());
  }

  /** Returns every setting. */
  @Override
  public String toString() {
    return "JitConfig" + Arrays.toString(parts());
  }

  /** Settings that are being made; as in the paper where nothing else is said. */
  private static final class Draft {
    private int steps;
    private List<Stage> stages = List.of();
    private SigmaSchedule schedule = SigmaSchedule.beta(1.4, 0.42);
    private Solver solver = Solver.EULER;
    private FirstAnchors firstAnchors = FirstAnchors.STRIDE_TWO_THEN_BORDER;
    private Activation activation = Activation.IMPORTANCE;
    private ImportanceBorder importanceBorder = ImportanceBorder.INSIDE_ONLY;
    private BlurWidth blurWidth = BlurWidth.UNCLIPPED;
    private TiedAnchors tiedAnchors = TiedAnchors.AVERAGED;
    private MicroFlow microFlow = MicroFlow.exact();
    private TransitionNoise transitionNoise = TransitionNoise.INITIAL;
    private StageRules stageRules = StageRules.STRICT;
  }
}
