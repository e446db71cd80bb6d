package io.jitflow.core.jit;

import static io.jitflow.core.testing.Arrays32.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.jit.JitConfig.BlurWidth;
import io.jitflow.core.jit.JitConfig.FirstAnchors;
import io.jitflow.core.jit.JitConfig.ImportanceBorder;
import io.jitflow.core.jit.JitConfig.MicroFlow;
import io.jitflow.core.jit.JitConfig.StageRules;
import io.jitflow.core.jit.JitConfig.TiedAnchors;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.core.testing.Npz;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Replays the recordings of the authors' release, free-running: only the random inputs are taken
 * from the file. Formats and tolerances are those of {@code src-test-fixtures/golden/README.md}.
 */
class ReferenceParityTest {
  private static final SigmaSchedule FLUX_SHIFT =
      new SigmaSchedule.DynamicShift(0.5, 1.15, 256, 4096);

  private static final double STATE = 2e-5;
  private static final double IMPORTANCE = 5e-6;

  @TestFactory
  Stream<DynamicTest> case_replayedFromItsNoise_equalsTheRecording() {
    List<Path> cases = Fixtures.cases("golden", "jit.golden");
    assertThat(cases).hasSizeGreaterThanOrEqualTo(11);
    return cases.stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(folder.getFileName().toString(), () -> replay(folder)));
  }

  private static void replay(Path folder) {
    JsonObject json = Fixtures.json(folder.resolve("case.json")).getAsJsonObject();
    try (NDManager manager = NDManager.newBaseManager()) {
      Npz arrays = Npz.read(manager, folder.resolve("arrays.npz"));
      TokenGrid grid = new TokenGrid(json.get("grid_h").getAsInt(), json.get("grid_w").getAsInt());
      JitConfig config = config(json);
      checkSchedule(config, grid, arrays);
      boolean adaptive = json.get("use_adaptive").getAsBoolean();
      JsonArray transitions = json.getAsJsonArray("transitions");
      SamplingRequest request =
          SamplingRequest.of(arrays.get("y0"), grid)
              .withTransitionNoise(arrays.get("global_noise"))
              .withAnchors(givenAnchors(grid, arrays, adaptive, transitions.size()));
      Comparison comparison = new Comparison(grid, arrays, transitions, adaptive);
      List<SamplingStep> steps = new ArrayList<>();
      try (ReleaseVelocityModel model = new ReleaseVelocityModel(modelFile(folder, json), arrays)) {
        NDArray latents =
            new JitSampler(config).sample(model, request.withListener(steps::add), comparison);
        assertThat(model.evaluations()).isEqualTo(config.steps());
        assertClose("final", latents, last(arrays.get("y_after")), STATE);
      }
      comparison.assertComplete();
      checkStages(json, arrays, steps);
    }
  }

  private static JitConfig config(JsonObject json) {
    double[] ends = doubles(json.get("stage_ratios"));
    double[] densities = inRunningOrder(doubles(json.get("sparsity_ratios")));
    Stage[] stages = new Stage[ends.length];
    Arrays.setAll(stages, s -> new Stage(ends[s], densities[s]));
    int steps = json.get("total_steps").getAsInt();
    boolean lenient = densities[densities.length - 1] < 1 || densities[0] == densities[1];
    StageRules rules = lenient ? StageRules.AS_RELEASED : StageRules.STRICT;
    SigmaSchedule schedule =
        json.get("use_beta_sigmas").getAsBoolean()
            ? SigmaSchedule.beta(json.get("alpha").getAsDouble(), json.get("beta").getAsDouble())
            : FLUX_SHIFT;
    return JitConfig.default4x()
        .asReleased()
        .withStageRules(StageRules.AS_RELEASED)
        .withStages(stages)
        .withSteps(steps)
        .withStageRules(rules)
        .withSchedule(schedule)
        .withFirstAnchors(FirstAnchors.STRIDE_TWO_AND_BORDER)
        .withMicroFlow(MicroFlow.partial(json.get("microflow_relax_steps").getAsInt()));
  }

  /** The release's densities may be listed in either direction. */
  private static double[] inRunningOrder(double[] densities) {
    if (densities[0] <= densities[densities.length - 1]) {
      return densities;
    }
    double[] reversed = new double[densities.length];
    Arrays.setAll(reversed, s -> densities[densities.length - 1 - s]);
    return reversed;
  }

  private static TokenSubset[] givenAnchors(
      TokenGrid grid, Npz arrays, boolean adaptive, int transitions) {
    List<TokenSubset> given = new ArrayList<>();
    given.add(TokenSubset.of(grid, arrays.ints("active_0")));
    for (int k = 0; !adaptive && k < transitions; k++) {
      given.add(TokenSubset.of(grid, arrays.ints("tr" + k + "_new_active")));
    }
    return given.toArray(TokenSubset[]::new);
  }

  private static Path modelFile(Path folder, JsonObject json) {
    String name = json.get("model_file").getAsString();
    Path beside = folder.resolveSibling(name);
    return Files.exists(beside) ? beside : Fixtures.folder("golden").resolve(name);
  }

  private static void checkSchedule(JitConfig config, TokenGrid grid, Npz arrays) {
    double[] sigmas = config.schedule().sigmas(config.steps(), grid.tokens());
    assertThat(floats(sigmas, config.steps()))
        .containsExactly(arrays.get("sigmas").toFloatArray(), within(2e-7));
    float[] steps = new float[config.steps()];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = (float) (sigmas[i + 1] - sigmas[i]);
    }
    assertThat(steps).containsExactly(arrays.get("dt").toFloatArray(), within(2e-7));
  }

  private static void checkStages(JsonObject json, Npz arrays, List<SamplingStep> steps) {
    int[] stages = arrays.ints("step_stage");
    int[] segments = arrays.ints("step_segment");
    assertThat(steps).hasSize(stages.length);
    for (int i = 0; i < stages.length; i++) {
      SamplingStep step = steps.get(i);
      assertThat(step.stages() - 1 - step.stage()).as("stage of step " + i).isEqualTo(stages[i]);
      int[] recorded = arrays.ints("active_" + segments[i]);
      int[] evaluated = step.active().indices(0);
      if (step.active().isFull()) {
        Arrays.sort(recorded); // a full stage is evaluated in grid order
      }
      assertThat(evaluated).as("tokens of step " + i).isEqualTo(recorded);
    }
    assertThat(json.get("total_steps").getAsInt()).isEqualTo(steps.size());
  }

  /** Compares every intermediate value that was recorded. */
  private static final class Comparison implements JitTrace {
    private final TokenGrid grid;
    private final Npz arrays;
    private final JsonArray transitions;
    private final boolean adaptive;
    private final int[] velocitySteps;
    private int states;
    private int velocities;
    private int maps;
    private int crossed;

    Comparison(TokenGrid grid, Npz arrays, JsonArray transitions, boolean adaptive) {
      this.grid = grid;
      this.arrays = arrays;
      this.transitions = transitions;
      this.adaptive = adaptive;
      this.velocitySteps = arrays.ints("velocity_steps");
    }

    @Override
    public void step(int i, NDArray velocity, NDArray state) {
      states++;
      assertClose("y after step " + i, state, at("y_after", i), STATE);
      int recorded = Arrays.binarySearch(velocitySteps, i);
      if (recorded >= 0) {
        velocities++;
        assertClose("velocity of step " + i, velocity, at("velocity", recorded), STATE);
      }
      String importance = "tr" + indexOf(i + 1) + "_importance";
      if (arrays.has(importance)) {
        compareImportance(importance, velocity);
      }
    }

    private void compareImportance(String name, NDArray velocity) {
      maps++;
      try (NDArray map = TokenImportance.map(velocity, grid, ImportanceBorder.ZERO_PADDED)) {
        float[] recorded = arrays.get(name).toFloatArray();
        assertClose(name, map.toFloatArray(), recorded, IMPORTANCE, 0);
      }
    }

    @Override
    public void transition(
        int i, TokenSubset next, long[] joining, NDArray clean, NDArray target, NDArray state) {
      crossed++;
      String tr = "tr" + indexOf(i);
      assertThat(next.indices(0)).as(tr).isEqualTo(arrays.ints(tr + "_new_active"));
      assertThat(Arrays.stream(joining).mapToInt(Math::toIntExact).toArray())
          .as(tr)
          .isEqualTo(arrays.ints(tr + "_newly"));
      assertClose(tr + " x0", clean, arrays.get(tr + "_x0_interpolated"), STATE);
      NDArray recorded = arrays.get(tr + "_y_target_new").get(0);
      assertClose(tr + " target", target, recorded, STATE);
      assertClose(tr + " state", state, arrays.get(tr + "_y_after_microflow"), STATE);
    }

    private NDArray at(String name, int i) {
      return arrays.get(name).get(new NDIndex(i));
    }

    private int indexOf(int step) {
      for (JsonElement transition : transitions) {
        if (transition.getAsJsonObject().get("step").getAsInt() == step) {
          return transition.getAsJsonObject().get("index").getAsInt();
        }
      }
      return -1;
    }

    void assertComplete() {
      assertThat(states).isEqualTo((int) arrays.get("y_after").getShape().get(0));
      assertThat(velocities).isEqualTo(velocitySteps.length);
      int joined = 0;
      for (int k = 0; k < transitions.size(); k++) {
        joined += arrays.ints("tr" + k + "_newly").length > 0 ? 1 : 0;
      }
      assertThat(crossed).isEqualTo(joined);
      assertThat(maps).isEqualTo(adaptive ? transitions.size() : 0);
    }
  }

  @TestFactory
  Stream<DynamicTest> velocityField_onItsProbe_equalsTheRecording() {
    Path models = Fixtures.folder("golden").resolve("models");
    return Stream.of("tokenwise", "mixing")
        .map(
            name ->
                DynamicTest.dynamicTest(
                    name,
                    () -> {
                      try (NDManager manager = NDManager.newBaseManager()) {
                        Npz probe = Npz.read(manager, models.resolve(name + "-probe.npz"));
                        try (ReleaseVelocityModel model =
                            new ReleaseVelocityModel(models.resolve(name + ".pt"), probe)) {
                          NDList inputs = new NDList();
                          for (String input :
                              List.of(
                                  "hidden_states",
                                  "encoder_hidden_states",
                                  "pooled_projections",
                                  "timestep",
                                  "img_ids",
                                  "txt_ids",
                                  "guidance")) {
                            inputs.add(probe.get(input));
                          }
                          assertClose(name, model.forward(inputs), probe.get("output"), 1e-5);
                        }
                      }
                    }));
  }

  @TestFactory
  Stream<DynamicTest> schedule_ofTheComponents_equalsTheRecording() {
    Path file = Fixtures.folder("golden").resolve("components/schedules.json");
    return objects(Fixtures.json(file))
        .map(
            json -> {
              boolean beta = json.get("kind").getAsString().equals("beta");
              int n = json.get("n").getAsInt();
              int tokens = beta ? 256 : json.get("tokens").getAsInt();
              SigmaSchedule schedule =
                  beta
                      ? SigmaSchedule.beta(
                          json.get("alpha").getAsDouble(), json.get("beta").getAsDouble())
                      : FLUX_SHIFT;
              return DynamicTest.dynamicTest(
                  schedule + " n=" + n + " tokens=" + tokens,
                  () ->
                      assertThat(floats(schedule.sigmas(n, tokens), n))
                          .containsExactly(floats(doubles(json.get("sigmas")), n), within(2e-7)));
            });
  }

  @TestFactory
  Stream<DynamicTest> stages_ofTheComponents_equalTheRecording() {
    Path file = Fixtures.folder("golden").resolve("components/stages.json");
    return objects(Fixtures.json(file))
        .map(
            json ->
                DynamicTest.dynamicTest(
                    "%s steps %s".formatted(json.get("total_steps"), json.get("stage_ratios")),
                    () -> checkStages(json)));
  }

  private static void checkStages(JsonObject json) {
    double[] ends = doubles(json.get("stage_ratios"));
    double[] densities = inRunningOrder(doubles(json.get("sparsity_ratios")));
    Stage[] stages = new Stage[ends.length];
    Arrays.setAll(stages, s -> new Stage(ends[s], densities[s]));
    StagePlan plan =
        JitConfig.of(json.get("total_steps").getAsInt(), stages)
            .withStageRules(StageRules.AS_RELEASED)
            .plan(new TokenGrid(1, json.get("tokens").getAsInt()));
    double[] stageOfStep = doubles(json.get("stage_of_step"));
    for (int i = 0; i < stageOfStep.length; i++) {
      assertThat(ends.length - 1 - plan.stageOf(i)).as("step " + i).isEqualTo((int) stageOfStep[i]);
    }
    JsonObject budgets = json.getAsJsonObject("budget_of_stage");
    for (int s = 0; s < ends.length; s++) {
      assertThat(plan.activeTokens(s))
          .as("stage " + s)
          .isEqualTo(budgets.get(String.valueOf(ends.length - 1 - s)).getAsInt());
    }
  }

  @TestFactory
  Stream<DynamicTest> operator_ofTheComponents_equalsTheRecording() {
    Path folder = Fixtures.folder("golden").resolve("components");
    JsonObject json = Fixtures.json(folder.resolve("operators.json")).getAsJsonObject();
    List<DynamicTest> tests = new ArrayList<>();
    objects(json.get("interpolation"))
        .forEach(c -> tests.add(operator("interp", c, folder, ReferenceParityTest::checkLift)));
    objects(json.get("importance"))
        .forEach(c -> tests.add(operator("imp", c, folder, ReferenceParityTest::checkImportance)));
    objects(json.get("patterns"))
        .forEach(c -> tests.add(operator("pattern", c, folder, ReferenceParityTest::checkPattern)));
    return tests.stream();
  }

  private interface OperatorCheck {
    void check(JsonObject json, TokenGrid grid, Npz arrays);
  }

  private static DynamicTest operator(
      String kind, JsonObject json, Path folder, OperatorCheck check) {
    TokenGrid grid = new TokenGrid(json.get("grid_h").getAsInt(), json.get("grid_w").getAsInt());
    return DynamicTest.dynamicTest(
        kind + " " + grid,
        () -> {
          try (NDManager manager = NDManager.newBaseManager()) {
            check.check(json, grid, Npz.read(manager, folder.resolve("operators.npz")));
          }
        });
  }

  private static void checkLift(JsonObject json, TokenGrid grid, Npz arrays) {
    String name = "interp" + json.get("index").getAsInt();
    NDArray values = arrays.get(name + "_values");
    TokenSubset anchors =
        TokenSubset.of(grid, arrays.ints(name + "_active"))
            .forSamples((int) values.getShape().get(0));
    try (VelocityLifter lifter =
        new VelocityLifter(
            values.getManager(), anchors, BlurWidth.CLIPPED, TiedAnchors.FIRST_IN_LIST)) {
      assertClose(name, lifter.lift(values), arrays.get(name + "_out"), 3e-5);
    }
  }

  private static void checkImportance(JsonObject json, TokenGrid grid, Npz arrays) {
    String name = "imp" + json.get("index").getAsInt();
    NDArray velocity = arrays.get(name + "_velocity");
    float[] recorded = arrays.get(name + "_importance").toFloatArray();
    try (NDArray map = TokenImportance.map(velocity, grid, ImportanceBorder.ZERO_PADDED)) {
      assertClose(name, map.toFloatArray(), recorded, IMPORTANCE, 0);
    }
    TokenSubset next =
        TokenImportance.select(
            new float[][] {recorded},
            TokenSubset.of(grid, arrays.ints(name + "_active")),
            json.get("target_count").getAsInt());
    assertThat(next.indices(0)).isEqualTo(arrays.ints(name + "_new_active"));
  }

  private static void checkPattern(JsonObject json, TokenGrid grid, Npz arrays) {
    int[] recorded = arrays.ints("pattern_%sx%s".formatted(grid.rows(), grid.cols()));
    int[] pattern = FirstAnchors.STRIDE_TWO_AND_BORDER.pattern(grid);
    assertThat(pattern).isEqualTo(recorded).hasSize(json.get("count").getAsInt());
  }

  private static Stream<JsonObject> objects(JsonElement list) {
    return Fixtures.objects(list).stream();
  }

  private static double[] doubles(JsonElement list) {
    return StreamSupport.stream(list.getAsJsonArray().spliterator(), false)
        .mapToDouble(JsonElement::getAsDouble)
        .toArray();
  }

  private static float[] floats(double[] values, int count) {
    float[] floats = new float[count];
    for (int i = 0; i < count; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private static org.assertj.core.data.Offset<Float> within(double tolerance) {
    return org.assertj.core.data.Offset.offset((float) tolerance);
  }

  private static NDArray last(NDArray steps) {
    return steps.get(new NDIndex(steps.getShape().get(0) - 1));
  }
}
