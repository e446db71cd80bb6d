package io.jitflow.flux.image;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitConfig.Activation;
import io.jitflow.core.jit.JitConfig.BlurWidth;
import io.jitflow.core.jit.JitConfig.FirstAnchors;
import io.jitflow.core.jit.JitConfig.ImportanceBorder;
import io.jitflow.core.jit.JitConfig.MicroFlow;
import io.jitflow.core.jit.JitConfig.StageRules;
import io.jitflow.core.jit.JitConfig.TiedAnchors;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.Stage;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The JSON text of a sampler with every setting, so that a later default cannot change an image.
 */
final class SamplerJson {

  private static final String OTHER = "other";

  private SamplerJson() {}

  static JsonObject write(Sampler sampler) {
    JsonObject json = new JsonObject();
    if (sampler instanceof EulerSampler euler) {
      json.addProperty("kind", "euler");
      json.addProperty("steps", euler.steps());
      json.add("schedule", write(euler.schedule()));
    } else if (sampler instanceof PlainSampler plain) {
      json.addProperty("kind", "plain");
      json.addProperty("steps", plain.steps());
      json.add("schedule", write(plain.schedule()));
      json.addProperty("solver", plain.solver().name());
    } else if (sampler instanceof JitSampler jit) {
      JitConfig config = jit.config();
      json.addProperty("kind", "jit");
      json.addProperty("steps", config.steps());
      JsonArray stages = new JsonArray();
      for (Stage stage : config.stages()) {
        JsonObject entry = new JsonObject();
        entry.addProperty("end", stage.end());
        entry.addProperty("density", stage.density());
        stages.add(entry);
      }
      json.add("stages", stages);
      json.add("schedule", write(config.schedule()));
      json.addProperty("solver", config.solver().name());
      json.addProperty("firstAnchors", config.firstAnchors().name());
      json.addProperty("activation", config.activation().name());
      json.addProperty("importanceBorder", config.importanceBorder().name());
      json.addProperty("blurWidth", config.blurWidth().name());
      json.addProperty("tiedAnchors", config.tiedAnchors().name());
      json.addProperty("microFlowSteps", config.microFlow().relaxSteps());
      json.addProperty("transitionNoise", config.transitionNoise().name());
      json.addProperty("stageRules", config.stageRules().name());
    } else {
      json.addProperty("kind", OTHER);
      json.addProperty("steps", sampler.steps());
      json.addProperty("class", sampler.getClass().getName());
    }
    return json;
  }

  /**
   * Reads a sampler; empty for one that is none of ours.
   *
   * @throws IOException if a value is missing, of another type or unknown
   * @throws IllegalArgumentException if a value is out of range
   */
  static Optional<Sampler> read(StrictJson json) throws IOException {
    String kind = json.string("kind");
    return switch (kind) {
      case "euler" ->
          Optional.of(
              new EulerSampler(readSchedule(json.object("schedule")), json.integer("steps")));
      case "plain" ->
          Optional.of(
              new PlainSampler(
                  readSchedule(json.object("schedule")),
                  json.integer("steps"),
                  json.constant("solver", Solver.class)));
      case "jit" -> Optional.of(new JitSampler(readConfig(json)));
      case OTHER -> {
        json.integer("steps");
        json.string("class");
        yield Optional.empty();
      }
      default -> throw json.wrong("kind", "euler, plain, jit or other", kind);
    };
  }

  /** What to call a sampler that {@link #read} leaves open. */
  static Optional<String> lost(StrictJson json) throws IOException {
    return json.string("kind").equals(OTHER)
        ? Optional.of("%s (%d steps)".formatted(json.string("class"), json.integer("steps")))
        : Optional.empty();
  }

  private static JitConfig readConfig(StrictJson json) throws IOException {
    List<Stage> stages = new ArrayList<>();
    for (StrictJson stage : json.objects("stages")) {
      stages.add(new Stage(stage.number("end"), stage.number("density")));
    }
    return JitConfig.default7x()
        .withStageRules(StageRules.AS_RELEASED) // checked by its own rules at the end
        .withSteps(json.integer("steps"))
        .withStages(stages.toArray(Stage[]::new))
        .withSchedule(readSchedule(json.object("schedule")))
        .withFirstAnchors(json.constant("firstAnchors", FirstAnchors.class))
        .withActivation(json.constant("activation", Activation.class))
        .withImportanceBorder(json.constant("importanceBorder", ImportanceBorder.class))
        .withBlurWidth(json.constant("blurWidth", BlurWidth.class))
        .withTiedAnchors(json.constant("tiedAnchors", TiedAnchors.class))
        .withMicroFlow(new MicroFlow(json.integer("microFlowSteps")))
        .withTransitionNoise(json.constant("transitionNoise", TransitionNoise.class))
        // requests from before there was a choice stepped by Euler's rule
        .withSolver(json.constant("solver", Solver.EULER))
        .withStageRules(json.constant("stageRules", StageRules.class));
  }

  private static JsonObject write(SigmaSchedule schedule) {
    JsonObject json = new JsonObject();
    if (schedule instanceof SigmaSchedule.Linear) {
      json.addProperty("type", "linear");
    } else if (schedule instanceof SigmaSchedule.DynamicShift shift) {
      json.addProperty("type", "dynamicShift");
      json.addProperty("baseShift", shift.baseShift());
      json.addProperty("maxShift", shift.maxShift());
      json.addProperty("baseTokens", shift.baseTokens());
      json.addProperty("maxTokens", shift.maxTokens());
    } else if (schedule instanceof SigmaSchedule.Beta beta) {
      json.addProperty("type", "beta");
      json.addProperty("alpha", beta.alpha());
      json.addProperty("beta", beta.beta());
    } else if (schedule instanceof SigmaSchedule.Custom custom) {
      json.addProperty("type", "custom");
      JsonArray values = new JsonArray();
      for (double sigma : custom.values()) {
        values.add(sigma);
      }
      json.add("sigmas", values);
    } else {
      throw new AssertionError("a schedule that is not written: " + schedule);
    }
    return json;
  }

  private static SigmaSchedule readSchedule(StrictJson json) throws IOException {
    String type = json.string("type");
    return switch (type) {
      case "linear" -> SigmaSchedule.linear();
      case "dynamicShift" ->
          new SigmaSchedule.DynamicShift(
              json.number("baseShift"),
              json.number("maxShift"),
              json.integer("baseTokens"),
              json.integer("maxTokens"));
      case "beta" -> SigmaSchedule.beta(json.number("alpha"), json.number("beta"));
      case "custom" -> new SigmaSchedule.Custom(json.numbers("sigmas"));
      default -> throw json.wrong("type", "linear, dynamicShift, beta or custom", type);
    };
  }
}
