package io.jitflow.core.jit;

import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.token.TokenGrid;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The settings of the Just-in-Time sampler, checked when made. Immutable.
 *
 * <p>{@link #default4x()} and {@link #default7x()} follow the paper; {@link #asReleased()} changes
 * every setting in which the authors' release departs from it, and only those: schedule, blur
 * width, tied anchors, importance border and micro-flow.
 *
 * @param steps the number of model evaluations
 * @param stages the stages in the order in which they run
 * @param schedule the noise levels
 * @param firstAnchors the rule for the first stage's anchors
 * @param activation which tokens join at a boundary
 * @param importanceBorder what the importance map sees outside the grid
 * @param blurWidth the width of the lifter's Gaussian
 * @param tiedAnchors what positions with several nearest anchors take
 * @param microFlow how joining tokens reach their target
 * @param transitionNoise the noise in their target
 * @param stageRules which stage configurations are refused
 */
public record JitConfig(
    int steps,
    List<Stage> stages,
    SigmaSchedule schedule,
    FirstAnchors firstAnchors,
    Activation activation,
    ImportanceBorder importanceBorder,
    BlurWidth blurWidth,
    TiedAnchors tiedAnchors,
    MicroFlow microFlow,
    TransitionNoise transitionNoise,
    StageRules stageRules) {

  private static final Map<String, JitConfig> PRESETS =
      Map.of("default_4x", default4x(), "default_7x", default7x());

  /**
   * Checks the settings.
   *
   * @param steps the number of model evaluations
   * @param stages the stages in the order in which they run
   * @param schedule the noise levels
   * @param firstAnchors the rule for the first stage's anchors
   * @param activation which tokens join at a boundary
   * @param importanceBorder what the importance map sees outside the grid
   * @param blurWidth the width of the lifter's Gaussian
   * @param tiedAnchors what positions with several nearest anchors take
   * @param microFlow how joining tokens reach their target
   * @param transitionNoise the noise in their target
   * @param stageRules which stage configurations are refused
   * @throws IllegalArgumentException if a stage gets no step, stage ends or densities do not rise,
   *     or the last stage does not end at 1 with density 1
   */
  public JitConfig {
    stages = List.copyOf(stages);
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(firstAnchors, "firstAnchors");
    Objects.requireNonNull(activation, "activation");
    Objects.requireNonNull(importanceBorder, "importanceBorder");
    Objects.requireNonNull(blurWidth, "blurWidth");
    Objects.requireNonNull(tiedAnchors, "tiedAnchors");
    Objects.requireNonNull(microFlow, "microFlow");
    Objects.requireNonNull(transitionNoise, "transitionNoise");
    StagePlan.check(steps, stages, Objects.requireNonNull(stageRules, "stageRules"));
  }

  /**
   * Makes settings as in the paper.
   *
   * @param steps the number of model evaluations
   * @param stages the stages in the order in which they run
   * @return the settings
   */
  public static JitConfig of(int steps, Stage... stages) {
    return new JitConfig(
        steps,
        List.of(stages),
        SigmaSchedule.beta(1.4, 0.42),
        FirstAnchors.STRIDE_TWO_THEN_BORDER,
        Activation.IMPORTANCE,
        ImportanceBorder.INSIDE_ONLY,
        BlurWidth.UNCLIPPED,
        TiedAnchors.AVERAGED,
        MicroFlow.exact(),
        TransitionNoise.FRESH,
        StageRules.STRICT);
  }

  /**
   * Returns the preset for about a quarter of the computation of 50 full steps: 18 steps, 7, 4 and
   * 7 of them at densities 0.35, 0.62 and 1.
   *
   * @return the preset {@code default_4x}
   */
  public static JitConfig default4x() {
    return of(18, new Stage(0.4, 0.35), new Stage(0.65, 0.62), new Stage(1, 1));
  }

  /**
   * Returns the preset for about a seventh of the computation of 50 full steps: 11 steps, 4, 3 and
   * 4 of them at densities 0.32, 0.6 and 1.
   *
   * @return the preset {@code default_7x}
   */
  public static JitConfig default7x() {
    return of(11, new Stage(0.4, 0.32), new Stage(0.65, 0.6), new Stage(1, 1));
  }

  /**
   * Returns a preset by its name in the authors' release.
   *
   * @param name {@code default_4x} or {@code default_7x}
   * @return the preset
   * @throws IllegalArgumentException if there is none of that name
   */
  public static JitConfig preset(String name) {
    JitConfig preset = PRESETS.get(name);
    if (preset == null) {
      throw new IllegalArgumentException(
          "unknown preset \"%s\"; there are default_4x and default_7x".formatted(name));
    }
    return preset;
  }

  /**
   * Returns these settings with every departure of the authors' release from the paper.
   *
   * @return settings that reproduce the release
   */
  public JitConfig asReleased() {
    return withSchedule(SigmaSchedule.beta(1.4, 0.425))
        .withImportanceBorder(ImportanceBorder.ZERO_PADDED)
        .withBlurWidth(BlurWidth.CLIPPED)
        .withTiedAnchors(TiedAnchors.FIRST_IN_LIST)
        .withMicroFlow(MicroFlow.partial(3));
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
   * Returns these settings with another number of steps.
   *
   * @param steps the number of model evaluations
   * @return the changed settings
   */
  public JitConfig withSteps(int steps) {
    return with(draft -> draft.steps = steps);
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
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.checked();
  }

  /** Settings that are being changed. */
  private static final class Draft {
    private int steps;
    private List<Stage> stages;
    private SigmaSchedule schedule;
    private FirstAnchors firstAnchors;
    private Activation activation;
    private ImportanceBorder importanceBorder;
    private BlurWidth blurWidth;
    private TiedAnchors tiedAnchors;
    private MicroFlow microFlow;
    private TransitionNoise transitionNoise;
    private StageRules stageRules;

    Draft(JitConfig from) {
      steps = from.steps;
      stages = from.stages;
      schedule = from.schedule;
      firstAnchors = from.firstAnchors;
      activation = from.activation;
      importanceBorder = from.importanceBorder;
      blurWidth = from.blurWidth;
      tiedAnchors = from.tiedAnchors;
      microFlow = from.microFlow;
      transitionNoise = from.transitionNoise;
      stageRules = from.stageRules;
    }

    JitConfig checked() {
      return new JitConfig(
          steps,
          stages,
          schedule,
          firstAnchors,
          activation,
          importanceBorder,
          blurWidth,
          tiedAnchors,
          microFlow,
          transitionNoise,
          stageRules);
    }
  }
}
