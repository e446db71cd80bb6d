package io.jitflow.core;

import static io.jitflow.core.testing.Arrays32.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.jitflow.core.TorchNoise.Precision;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.core.testing.Npz;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Recordings: {@code src-test-fixtures/parity/seed-noise}, from torch 2.13.0. */
class TorchNoiseTest {
  @TestFactory
  Stream<DynamicTest> draw_ofTheRecordedSeeds_equalsTorch() {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path folder : Fixtures.cases("parity", "jit.parity")) {
      JsonObject json = Fixtures.json(folder.resolve("case.json")).getAsJsonObject();
      if (!"noise".equals(Fixtures.kind(json))) {
        continue;
      }
      for (JsonObject noise : Fixtures.objects(json.get("cases"))) {
        String name =
            "%s %s, %d draws"
                .formatted(
                    noise.get("seed").getAsString(),
                    noise.get("dtype").getAsString(),
                    noise.getAsJsonArray("draws").size());
        tests.add(DynamicTest.dynamicTest(name, () -> check(folder, json, noise)));
      }
    }
    assertThat(tests).hasSizeGreaterThan(10);
    return tests.stream();
  }

  /** One generator for all draws of a case. */
  private static void check(Path folder, JsonObject json, JsonObject noise) {
    String dtype = noise.get("dtype").getAsString();
    JsonObject tolerance = json.getAsJsonObject("tolerance").getAsJsonObject(dtype);
    double atol = tolerance.get("atol").getAsDouble();
    double rtol = tolerance.has("rtol") ? tolerance.get("rtol").getAsDouble() : 0;
    TorchNoise generator = new TorchNoise(noise.get("seed").getAsBigInteger().longValue());
    try (NDManager manager = NDManager.newBaseManager()) {
      Npz first = Npz.read(manager, folder.resolve(json.get("first").getAsString()));
      for (JsonElement element : noise.getAsJsonArray("draws")) {
        JsonObject draw = element.getAsJsonObject();
        int n = draw.get("n").getAsInt();
        float[] values = generator.draw(n, Precision.valueOf(dtype.toUpperCase(Locale.ROOT)));
        String name = draw.get("first").getAsString();
        assertClose(
            name,
            Arrays.copyOf(values, Math.min(64, n)),
            first.get(name).toFloatArray(),
            atol,
            rtol);
        double last = draw.get("last").getAsDouble();
        assertThat((double) values[n - 1]).isCloseTo(last, within(atol + rtol * Math.abs(last)));
        checkSums(dtype, values, draw);
      }
    }
  }

  private static void checkSums(String dtype, float[] values, JsonObject draw) {
    double sum = 0;
    double squares = 0;
    for (float value : values) {
      sum += value;
      squares += (double) value * value;
    }
    // in float32 as recorded; otherwise a fraction of a rounding unit, whose signs are random
    double unit = dtype.equals("float32") ? 1e-6 : dtype.equals("float16") ? 1e-3 : 8e-3;
    double recorded = draw.get("sum_of_squares").getAsDouble();
    double atol = dtype.equals("float32") ? 0.05 : 0.1 * unit * Math.sqrt(recorded);
    assertThat(sum).isCloseTo(draw.get("sum").getAsDouble(), within(atol));
    assertThat(squares).isCloseTo(recorded, within(unit * recorded));
  }

  @Test
  void draw_ofTwoGenerators_doNotDisturbEachOther() {
    TorchNoise one = new TorchNoise(7);
    TorchNoise two = new TorchNoise(7);
    float[] first = one.draw(32);
    two.draw(5);
    assertThat(new TorchNoise(7).draw(32)).isEqualTo(first);
    assertThat(one.draw(32)).isNotEqualTo(first);
  }

  @Test
  void draw_ofSeedsThatShareTheirLow32Bits_isTheSame() {
    assertThat(new TorchNoise(5L + (3L << 32)).draw(40)).isEqualTo(new TorchNoise(5).draw(40));
    assertThat(new TorchNoise(-1).draw(40)).isEqualTo(new TorchNoise(0xFFFFFFFFL).draw(40));
  }

  @Test
  void draw_intoAnArray_hasTheShapeAndTheNumbers() {
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray array = new TorchNoise(3).draw(manager, new Shape(2, 5, 4));
      assertThat(array.getShape()).isEqualTo(new Shape(2, 5, 4));
      assertThat(array.toFloatArray()).isEqualTo(new TorchNoise(3).draw(40));
    }
  }

  @Test
  void draw_ofNone_isEmpty() {
    assertThat(new TorchNoise(3).draw(0)).isEmpty();
  }

  @Test
  void draw_ofANegativeCount_isRefused() {
    assertThatThrownBy(() -> new TorchNoise(3).draw(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got -1");
  }
}
