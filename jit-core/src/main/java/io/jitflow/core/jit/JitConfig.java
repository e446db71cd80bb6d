package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;

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
    measured(0.9, 0.4, new int[] {2, 1, 1, 3}, 0.25, 0.5, 0.75, 1);
    measured(1.2, 0.5, new int[] {2, 2, 2}, 0.25, 0.5, 1);
    for (int speedup : new int[] {4, 7, 10, 13}) {
      PRESETS.put("second_order_" + speedup + "x", forSpeedup(speedup));
    }
  }

  private static void measured(double alpha, double beta, int[] steps, double... densities) {
    double cost = IntStream.range(0, steps.length).mapToDouble(s -> steps[s] * densities[s]).sum();
    MEASURED.put(
        STANDARD_STEPS / cost,
        ofSteps(steps, densities)
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
    Checks.argument(
        solver == Solver.EULER || microFlow.relaxSteps() == 1,
        "the solver %s needs MicroFlow.exact(), got %s: a partial micro-flow leaves"
            + " joining tokens off the straight path that gives them a velocity history; use the"
            + " exact one, or Solver.EULER",
        solver,
        microFlow);
    double density = StagePlan.last(steps, stages).density();
    Checks.argument(
        solver == Solver.EULER || density == 1,
        "the solver %s needs a last stage of every token, density 1, got %s; use it, or"
            + " Solver.EULER",
        solver,
        density);
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
   * Makes settings as in the paper by how many steps each stage takes. With another number of steps
   * ({@link #withSteps}) they are split in proportion.
   *
   * @param steps the steps of each stage, each at least 1
   * @param densities the density of each stage, rising to 1
   * @return the settings
   * @throws IllegalArgumentException if there are not as many densities as stages, a stage gets no
   *     step, densities do not rise, or the last one is not 1
   */
  public static JitConfig ofSteps(int[] steps, double... densities) {
    Checks.argument(
        steps.length == densities.length,
        "each stage needs its steps and its density, got %d and %d of them",
        steps.length,
        densities.length);
    for (int s = 0; s < steps.length; s++) {
      Checks.argument(steps[s] >= 1, "stage %d needs at least 1 step, got %d", s, steps[s]);
    }
    int all = Arrays.stream(steps).sum();
    Stage[] stages = new Stage[steps.length];
    int done = 0;
    for (int s = 0; s < stages.length; s++) {
      done += steps[s];
      // further, so that no rounding moves a boundary, and as far as runs of fewer steps, such as
      // those that start from a picture, need it to give every stage a step
      double end = s == stages.length - 1 ? 1 : (done + 0.9) / all;
      stages[s] = new Stage(end, densities[s]);
    }
    return of(all, stages);
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
        "there are settings for speed-ups from %s to %s, got %s; below, use fewer steps of"
            + " PlainSampler",
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
   * Selects the anchors of every stage for a run in which a part of the picture is known: every
   * known token is an anchor from the start, since its velocity is known too, and the densities
   * apply to the tokens that are drawn anew.
   *
   * @param grid the grid
   * @param drawn for every token, row by row, whether it is drawn anew
   * @return one set for each stage, each within the next, for {@link
   *     io.jitflow.core.SamplingRequest#withAnchors}; each has at least one token more than the one
   *     before until every token is in, and one of density 1 has every token
   * @throws IllegalArgumentException if there is no token to draw, or the mask is for another grid
   */
  public TokenSubset[] anchors(TokenGrid grid, boolean[] drawn) {
    return MaskAnchors.of(stages, grid, drawn);
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
   * <p>With a solver of second order the first stage should have two steps or more: it takes the
   * change from one velocity to the next for a slope in time, and between a first stage of one step
   * and the second stage most of that change is the other context.
   *
   * @param solver how it steps from one noise level to the next
   * @return the changed settings
   * @throws IllegalArgumentException if it is not {@link Solver#EULER} and the micro-flow is not
   *     exact or the last stage not of every token; set those first
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

  /**
   * The rule for the anchors of the first stage (method, section 3): a regular pattern, fitted to
   * the stage's count.
   *
   * <p>Fitting is deterministic. If the pattern has too many tokens, one part of it, the border or
   * the lattice, stays first and the others are dropped evenly over the grid; if it has too few,
   * others are added evenly. (The authors' release does both at random.) {@code docs/quality.md}
   * compares the rules.
   */
  public enum FirstAnchors {
    /** Every second row and column, and the whole border; the border stays first. */
    STRIDE_TWO_AND_BORDER {
      @Override
      int tier(TokenGrid grid, int row, int col) {
        return onBorder(grid, row, col) ? 0 : onLattice(row, col) ? 1 : 2;
      }
    },
    /**
     * The same pattern, but every second row and column stays first. It makes a difference only
     * where the pattern does not fit, on grids below about 40 x 40 with the presets: at 16 x 16 the
     * border alone would take 60 of the 81 anchors of the preset 7x.
     */
    STRIDE_TWO_THEN_BORDER {
      @Override
      int tier(TokenGrid grid, int row, int col) {
        return onLattice(row, col) ? 0 : onBorder(grid, row, col) ? 1 : 2;
      }
    },
    /**
     * An even spread without regard to the border: every second row and column, then more evenly.
     */
    EVEN_SPREAD {
      @Override
      int tier(TokenGrid grid, int row, int col) {
        return 0;
      }
    };

    /** What is taken first, second, and only to fill up. */
    abstract int tier(TokenGrid grid, int row, int col);

    /** The pattern before it is fitted, in row-major order. */
    int[] pattern(TokenGrid grid) {
      return IntStream.range(0, grid.tokens())
          .filter(token -> tier(grid, grid.row(token), grid.col(token)) < 2)
          .toArray();
    }

    /**
     * Selects the anchors of one sample.
     *
     * @param grid the grid
     * @param count how many anchors, from 1 to the grid's tokens
     * @return token indices in row-major order
     */
    int[] select(TokenGrid grid, int count) {
      Checks.argument(
          count >= 1 && count <= grid.tokens(),
          "the number of anchors must be from 1 to %d on a grid of %s, got %d",
          grid.tokens(),
          grid,
          count);
      int[] fitted =
          IntStream.range(0, grid.tokens())
              .boxed()
              .sorted(
                  Comparator.comparingInt(
                          (Integer token) -> tier(grid, grid.row(token), grid.col(token)))
                      .thenComparingLong(token -> EvenSpread.rank(grid.row(token), grid.col(token)))
                      .thenComparingInt(token -> token))
              .limit(count)
              .mapToInt(token -> token)
              .toArray();
      Arrays.sort(fitted);
      return fitted;
    }

    private static boolean onLattice(int row, int col) {
      return row % 2 == 0 && col % 2 == 0;
    }

    private static boolean onBorder(TokenGrid grid, int row, int col) {
      return row == 0 || col == 0 || row == grid.rows() - 1 || col == grid.cols() - 1;
    }
  }

  /** Which inactive tokens join at a stage boundary. */
  public enum Activation {
    /** The most important ones: importance-guided token activation, ITA (paper, section on ITA). */
    IMPORTANCE,
    /** An even spread, whatever the image: the paper's ablation "fixed grid". */
    EVEN_SPREAD
  }

  /** What the 3x3 window of the importance map sees outside the grid. */
  public enum ImportanceBorder {
    /** Nothing: the window is cut off at the border. */
    INSIDE_ONLY,
    /** Zero velocity, as in the authors' release: the border looks important for no reason. */
    ZERO_PADDED
  }

  /**
   * The standard deviation of the lifter's Gaussian, in grid positions, from the density rho of the
   * anchors: 0.4 times the characteristic distance {@code L = rho^(-1/2)} (paper, appendix B.2).
   */
  public enum BlurWidth {
    /** {@code 0.4 L}, as in the paper. */
    UNCLIPPED,
    /** {@code 0.4 L} clipped to [1, 10], as in the authors' release: 1 at the preset densities. */
    CLIPPED;

    /**
     * Returns the standard deviation.
     *
     * @param density rho, in (0, 1]
     * @return the standard deviation in grid positions, above 0
     */
    double sigma(double density) {
      double sigma = 0.4 / Math.sqrt(density);
      return this == CLIPPED ? Math.min(10, Math.max(1, sigma)) : sigma;
    }
  }

  /** What a position with several nearest anchors takes before the blur. */
  public enum TiedAnchors {
    /** The mean of all of them: no direction is preferred. */
    AVERAGED,
    /**
     * The one that comes first in the anchor list, as in the authors' release. The same set in
     * another order gives another field, and a sorted list leans up and to the left.
     */
    FIRST_IN_LIST
  }

  /**
   * The deterministic micro-flow (DMF): how joining tokens reach their target at a stage boundary.
   *
   * <p>The target is {@code y* = (1 - sigma) Phi(x0_hat) + sigma eps}. The paper's ODE {@code dy/dt
   * = (y* - y) / (T - t)} is a straight line that hits y* at T, so {@link #exact()} assigns y*. The
   * authors' release blends once, {@code y <- (1 - 1/n) y + (1/n) y*} with n = 3, and so leaves the
   * tokens at a wrong noise level; {@link #partial(int)} does the same.
   *
   * @param relaxSteps n, at least 1; 1 is the exact solution
   */
  public record MicroFlow(int relaxSteps) {
    /**
     * Checks n.
     *
     * @param relaxSteps at least 1
     * @throws IllegalArgumentException if n is below 1
     */
    public MicroFlow {
      Checks.argument(
          relaxSteps >= 1,
          "the micro-flow's n must be at least 1 (1 is the exact solution), got %s",
          relaxSteps);
    }

    /**
     * Returns the ODE's exact solution.
     *
     * @return the micro-flow that puts tokens on their target
     */
    public static MicroFlow exact() {
      return new MicroFlow(1);
    }

    /**
     * Returns the release's partial relaxation.
     *
     * @param relaxSteps the release's {@code microflow_relax_steps}; 0 counts as 1 there
     * @return the micro-flow that goes 1/n of the way
     * @throws IllegalArgumentException if n is negative
     */
    public static MicroFlow partial(int relaxSteps) {
      return new MicroFlow(relaxSteps == 0 ? 1 : relaxSteps);
    }

    /**
     * Computes the targets of joining tokens.
     *
     * @param cleanEstimate {@code Phi(x0_hat)} at the joining tokens, FLOAT32; not changed
     * @param noise eps at the same tokens, of the same shape; not changed
     * @param sigma the noise level at the boundary, in [0, 1]
     * @return y*, a new array of the first operand's manager
     */
    NDArray target(NDArray cleanEstimate, NDArray noise, double sigma) {
      try (NDArray scaledNoise = noise.mul((float) sigma)) {
        return cleanEstimate.mul((float) (1 - sigma)).addi(scaledNoise);
      }
    }

    /**
     * Moves joining tokens towards their targets.
     *
     * @param state y at the joining tokens, FLOAT32; not changed
     * @param target y*, of the same shape; not changed
     * @return the new state of the tokens, a new array of the first operand's manager; a copy of
     *     the target if n is 1
     */
    NDArray flow(NDArray state, NDArray target) {
      if (relaxSteps == 1) {
        NDArray reached = target.duplicate();
        reached.attach(state.getManager());
        return reached;
      }
      float share = 1f / relaxSteps;
      try (NDArray part = target.mul(share)) {
        return state.mul(1 - share).addi(part);
      }
    }
  }

  /** The noise eps in the targets of joining tokens. */
  public enum TransitionNoise {
    /**
     * Fresh Gaussian noise, as in the authors' release: the request's transition noise. A request
     * without it is refused. The paper says Gaussian noise and no more.
     */
    FRESH,
    /**
     * The initial noise again. With the exact micro-flow that is as good as fresh noise, in
     * distribution the same: nothing has read a joining token's initial noise before it joins. And
     * it keeps the result closer to that of a full sampler from the same noise.
     */
    INITIAL
  }

  /** Which stage configurations are refused. */
  public enum StageRules {
    /**
     * Every stage has at least one step and adds tokens; the last one has them all. The sensible
     * choice.
     */
    STRICT,
    /**
     * As the authors' release: densities may repeat, stages may be empty, and with a last density
     * below 1 the tokens left out stand still in the last stage.
     */
    AS_RELEASED
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
