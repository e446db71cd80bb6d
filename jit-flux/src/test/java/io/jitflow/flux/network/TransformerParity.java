package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Npz;
import io.jitflow.flux.ParitySet;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConvertedNetwork;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** Every variant, layout, arithmetic and case of a parity set of kind {@code transformer}. */
public final class TransformerParity {
  private static final double USUAL_GUIDANCE = 3.5;

  /** Of a float32 number, at most, relative to it. */
  private static final double UNIT_IN_THE_LAST_PLACE = 0x1p-23;

  private TransformerParity() {}

  /** The tests of one set. */
  public static Stream<DynamicNode> tests(ParitySet set, Path scratch) {
    List<DynamicNode> nodes = new ArrayList<>();
    for (JsonObject variant : ParitySet.objects(set.description(), "variants")) {
      for (String layout : List.of("bfl", "diffusers")) {
        for (DType dtype : List.of(DType.F32, DType.BF16)) {
          if (variant.getAsJsonObject("weights").has(layout)) {
            String title =
                String.join(
                    " ", set.title(), variant.get("variant").getAsString(), layout, dtype.name());
            nodes.add(
                DynamicTest.dynamicTest(title, () -> check(set, variant, layout, dtype, scratch)));
          }
        }
      }
    }
    return nodes.stream();
  }

  private static void check(
      ParitySet set, JsonObject variant, String layout, DType dtype, Path scratch)
      throws IOException {
    JsonObject weights = variant.getAsJsonObject("weights");
    ConvertedNetwork<FluxArchitecture> flux =
        ConvertedNetwork.transformer(
            set.file(weights.get(layout).getAsString()),
            layout.equals("bfl") ? Optional.of(ropeAxes(variant)) : Optional.empty(),
            dtype,
            Files.createTempDirectory(scratch, "transformer"));
    assertThat(flux.architecture().guidanceEmbedding())
        .isEqualTo(variant.getAsJsonObject("config").get("guidance_embeds").getAsBoolean());
    boolean wide = dtype == DType.F32;
    String expected = wide ? "expected" : "expected_bf16";
    String arithmetic = wide ? "float32" : "bfloat16";
    try (ModulatedFlux transformer =
        ModulatedFlux.load(flux.file(FluxBundle.MODULATION), flux.file(), flux.architecture())) {
      for (JsonObject one : ParitySet.objects(variant, "cases")) {
        if (one.getAsJsonObject("content").has(expected)) {
          try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            Npz npz = Npz.read(manager, set.file(one.get("arrays").getAsString()));
            String name = one.get("name").getAsString();
            NDArray velocity = velocity(transformer, npz, 1);
            double allowance = wide ? frequencyRounding(transformer, npz, velocity) : 0;
            set.assertMatches(arithmetic, name, velocity, npz, expected, allowance);
          }
        }
      }
    }
  }

  private static List<Integer> ropeAxes(JsonObject variant) {
    JsonArray axes = variant.getAsJsonObject("config").getAsJsonArray("axes_dims_rope");
    return IntStream.range(0, axes.size()).mapToObj(i -> axes.get(i).getAsInt()).toList();
  }

  /**
   * The reference takes the frequencies of the guidance's sinusoid from a float32 {@code exp},
   * whose last bit differs between processors; the angles are 1000 times guidance and frequency.
   * The sets' own tolerance covers this up to the guidance of FLUX.1's examples, {@value
   * #USUAL_GUIDANCE}. Above it, we add half of what moves the result when all frequencies are off
   * by a unit in the last place in the same direction: errors of either sign, in the fifteen or so
   * frequencies whose angles are large, add up to a quarter of that, and twice that is allowed.
   */
  private static double frequencyRounding(ModulatedFlux transformer, Npz npz, NDArray velocity) {
    if (!npz.has("guidance") || npz.get("guidance").max().getFloat() <= USUAL_GUIDANCE) {
      return 0;
    }
    double moved = 0;
    for (double factor : new double[] {1 - UNIT_IN_THE_LAST_PLACE, 1 + UNIT_IN_THE_LAST_PLACE}) {
      NDArray other = velocity(transformer, npz, factor);
      moved = Math.max(moved, other.sub(velocity).abs().max().getFloat());
    }
    return moved / 2;
  }

  private static NDArray velocity(ModulatedFlux transformer, Npz npz, double guidanceFactor) {
    NDArray img = npz.get("img");
    NDArray ids = npz.get("img_ids");
    boolean shared = ids.getShape().dimension() == 2;
    NDArray imgIds = shared ? ids.expandDims(0).repeat(0, img.getShape().get(0)) : ids;
    NDArray sigma = npz.get("timestep");
    NDArray guidance =
        npz.has("guidance") ? npz.get("guidance").mul(guidanceFactor) : sigma.onesLike();
    return transformer.velocity(
        img, imgIds, npz.get("txt"), npz.get("txt_ids"), npz.get("vec"), sigma, guidance);
  }
}
