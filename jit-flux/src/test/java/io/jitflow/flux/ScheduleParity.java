package io.jitflow.flux;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.testing.Arrays32;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** Noise levels against those of diffusers and of the original repository. */
final class ScheduleParity {
  private ScheduleParity() {}

  static List<DynamicNode> tests(ParitySet set) {
    List<DynamicNode> tests = new ArrayList<>();
    JsonObject tolerance = set.description().getAsJsonObject("tolerance");
    double atol = tolerance.getAsJsonObject("sigmas").get("atol").getAsDouble();
    for (JsonObject run : recorded(set, "flow_match")) {
      SigmaSchedule schedule =
          run.get("kind").getAsString().equals("dev")
              ? new SigmaSchedule.DynamicShift(0.5, 1.15, 256, 4096)
              : SigmaSchedule.linear();
      int tokens = run.get("image_seq_len").getAsInt();
      tests.add(test(set, schedule, tokens, run, atol));
    }
    for (JsonObject run : recorded(set, "beta")) {
      SigmaSchedule schedule =
          SigmaSchedule.beta(run.get("alpha").getAsDouble(), run.get("beta").getAsDouble());
      tests.add(test(set, schedule, 4096, run, atol));
    }
    return tests;
  }

  /** A set may have one kind of schedule only. */
  private static List<JsonObject> recorded(ParitySet set, String list) {
    return set.description().has(list) ? ParitySet.objects(set.description(), list) : List.of();
  }

  private static DynamicTest test(
      ParitySet set, SigmaSchedule schedule, int tokens, JsonObject run, double atol) {
    int steps = run.get("steps").getAsInt();
    return DynamicTest.dynamicTest(
        "%s %s steps %d tokens %d".formatted(set.title(), schedule, steps, tokens),
        () -> {
          double[] sigmas = schedule.sigmas(steps, tokens);
          float[] found = new float[sigmas.length];
          for (int i = 0; i < found.length; i++) {
            found[i] = (float) sigmas[i];
          }
          Arrays32.assertClose("sigmas", found, floats(run.getAsJsonArray("sigmas")), atol, 0);
          if (run.has("bfl_sigmas")) {
            Arrays32.assertClose(
                "bfl_sigmas", found, floats(run.getAsJsonArray("bfl_sigmas")), atol, 0);
          }
        });
  }

  private static float[] floats(JsonArray values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = values.get(i).getAsFloat();
    }
    return floats;
  }
}
