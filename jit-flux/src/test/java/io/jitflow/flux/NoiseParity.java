package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.core.testing.Npz;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.network.LatentPacking;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** The noise of a seed and the packing of latents against PyTorch's. */
final class NoiseParity {
  private NoiseParity() {}

  static List<DynamicNode> tests(ParitySet set) {
    List<DynamicNode> tests = new ArrayList<>();
    for (JsonObject run : ParitySet.objects(set.description(), "cases")) {
      tests.add(
          DynamicTest.dynamicTest(
              "%s seed %s %s".formatted(set.title(), run.get("seed"), run.get("dtype")),
              () -> checkDraws(set, run)));
    }
    if (set.description().has("packing")) {
      tests.add(DynamicTest.dynamicTest(set.title() + " packing", () -> checkPacking(set)));
    }
    return tests;
  }

  private static void checkDraws(ParitySet set, JsonObject run) {
    String dtype = run.get("dtype").getAsString();
    JsonObject tolerance = set.description().getAsJsonObject("tolerance").getAsJsonObject(dtype);
    double atol = tolerance.get("atol").getAsDouble();
    double rtol = tolerance.has("rtol") ? tolerance.get("rtol").getAsDouble() : 0;
    TorchNoise generator = new TorchNoise(run.get("seed").getAsLong());
    try (NDManager manager = NDManager.newBaseManager()) {
      Npz first = Npz.read(manager, set.file(set.description().get("first").getAsString()));
      for (JsonObject draw : ParitySet.objects(run, "draws")) {
        int count = 1;
        for (JsonElement side : draw.getAsJsonArray("shape")) {
          count *= side.getAsInt();
        }
        float[] values =
            generator.draw(count, TorchNoise.Precision.valueOf(dtype.toUpperCase(Locale.ROOT)));
        float[] begin = first.get(draw.get("first").getAsString()).toFloatArray();
        Arrays32.assertClose("first", Arrays.copyOf(values, begin.length), begin, atol, rtol);
        Arrays32.assertClose(
            "last",
            new float[] {values[count - 1]},
            new float[] {draw.get("last").getAsFloat()},
            atol,
            rtol);
        double sum = 0;
        double squares = 0;
        for (float value : values) {
          sum += value;
          squares += (double) value * value;
        }
        if (dtype.equals("float32")) {
          assertThat(sum)
              .isCloseTo(draw.get("sum").getAsDouble(), org.assertj.core.data.Offset.offset(0.05));
          assertThat(squares)
              .isCloseTo(
                  draw.get("sum_of_squares").getAsDouble(),
                  org.assertj.core.data.Percentage.withPercentage(1e-4));
        }
      }
    }
  }

  private static void checkPacking(ParitySet set) {
    String file = set.description().getAsJsonObject("packing").get("arrays").getAsString();
    try (NDManager manager = NDManager.newBaseManager()) {
      Npz npz = Npz.read(manager, set.file(file));
      NDArray latents = npz.get("latents");
      NDArray tokens = LatentPacking.pack(latents);
      Arrays32.assertIdentical("tokens", tokens, npz.get("tokens"));
      int rows = (int) latents.getShape().get(2) / 2;
      int cols = (int) latents.getShape().get(3) / 2;
      Arrays32.assertIdentical(
          "latents", LatentPacking.unpack(tokens, new TokenGrid(rows, cols)), latents);
    }
  }
}
