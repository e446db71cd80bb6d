package io.jitflow.flux.image;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.jit.Activation;
import io.jitflow.core.jit.BlurWidth;
import io.jitflow.core.jit.FirstAnchors;
import io.jitflow.core.jit.ImportanceBorder;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.MicroFlow;
import io.jitflow.core.jit.Stage;
import io.jitflow.core.jit.StageRules;
import io.jitflow.core.jit.TiedAnchors;
import io.jitflow.core.jit.TransitionNoise;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The JSON text of a sampler with every setting, so that a later default cannot change an image.
 */
final class SamplerJson {

  private SamplerJson() {}

  static JsonObject write(Sampler sampler) {
    JsonObject json = new JsonObject();
    if (sampler instanceof EulerSampler euler) {
      json.addProperty("kind", "euler");
      json.addProperty("steps", euler.steps());
      json.add("schedule", write(euler.schedule()));
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
      json.addProperty("firstAnchors", config.firstAnchors().name());
      json.addProperty("activation", config.activation().name());
      json.addProperty("importanceBorder", config.importanceBorder().name());
      json.addProperty("blurWidth", config.blurWidth().name());
      json.addProperty("tiedAnchors", config.tiedAnchors().name());
      json.addProperty("microFlowSteps", config.microFlow().relaxSteps());
      json.addProperty("transitionNoise", config.transitionNoise().name());
      json.addProperty("stageRules", config.stageRules().name());
    } else {
      json.addProperty("kind", "other");
      json.addProperty("steps", sampler.steps());
      json.addProperty("class", sampler.getClass().getName());
    }
    return json;
  }

  /**
   * Reads a sampler.
   *
   * @throws IllegalArgumentException if it is none of ours, or a value is missing or out of range
   */
  static Sampler read(JsonObject json) {
    String kind = RequestJson.text(json, "kind");
    return switch (kind) {
      case "euler" ->
          new EulerSampler(
              readSchedule(RequestJson.object(json, "schedule")),
              RequestJson.intValue(json, "steps"));
      case "jit" -> new JitSampler(readConfig(json));
      case "other" ->
          throw new IllegalArgumentException(
              "the image was made with a sampler of its own, %s, which a file cannot bring back"
                  .formatted(RequestJson.text(json, "class")));
      default ->
          throw new IllegalArgumentException(
              "expected a sampler of kind euler or jit, found '%s'".formatted(kind));
    };
  }

  private static JitConfig readConfig(JsonObject json) {
    List<Stage> stages = new ArrayList<>();
    for (JsonElement entry : array(json, "stages")) {
      if (!entry.isJsonObject()) {
        throw RequestJson.unexpected("stages", "objects", entry);
      }
      JsonObject stage = entry.getAsJsonObject();
      stages.add(new Stage(RequestJson.number(stage, "end"), RequestJson.number(stage, "density")));
    }
    return new JitConfig(
        RequestJson.intValue(json, "steps"),
        stages,
        readSchedule(RequestJson.object(json, "schedule")),
        constant(json, "firstAnchors", FirstAnchors.values()),
        constant(json, "activation", Activation.values()),
        constant(json, "importanceBorder", ImportanceBorder.values()),
        constant(json, "blurWidth", BlurWidth.values()),
        constant(json, "tiedAnchors", TiedAnchors.values()),
        new MicroFlow(RequestJson.intValue(json, "microFlowSteps")),
        constant(json, "transitionNoise", TransitionNoise.values()),
        constant(json, "stageRules", StageRules.values()));
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

  private static SigmaSchedule readSchedule(JsonObject json) {
    String type = RequestJson.text(json, "type");
    return switch (type) {
      case "linear" -> SigmaSchedule.linear();
      case "dynamicShift" ->
          new SigmaSchedule.DynamicShift(
              RequestJson.number(json, "baseShift"),
              RequestJson.number(json, "maxShift"),
              RequestJson.intValue(json, "baseTokens"),
              RequestJson.intValue(json, "maxTokens"));
      case "beta" ->
          SigmaSchedule.beta(RequestJson.number(json, "alpha"), RequestJson.number(json, "beta"));
      case "custom" -> {
        JsonArray values = array(json, "sigmas");
        double[] sigmas = new double[values.size()];
        for (int i = 0; i < sigmas.length; i++) {
          JsonElement value = values.get(i);
          if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
            throw RequestJson.unexpected("sigmas", "numbers", value);
          }
          sigmas[i] = value.getAsDouble();
        }
        yield SigmaSchedule.custom(sigmas);
      }
      default ->
          throw new IllegalArgumentException(
              "expected a schedule linear, dynamicShift, beta or custom, found '%s'"
                  .formatted(type));
    };
  }

  private static JsonArray array(JsonObject json, String key) {
    JsonElement found = json.get(key);
    if (found == null || !found.isJsonArray()) {
      throw RequestJson.unexpected(key, "a list", found);
    }
    return found.getAsJsonArray();
  }

  private static <E extends Enum<E>> E constant(JsonObject json, String key, E[] values) {
    String name = RequestJson.text(json, key);
    for (E value : values) {
      if (value.name().equals(name)) {
        return value;
      }
    }
    throw new IllegalArgumentException(
        "\"%s\": expected one of %s, found '%s'".formatted(key, Arrays.toString(values), name));
  }
}
