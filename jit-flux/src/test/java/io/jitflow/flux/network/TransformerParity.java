package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Npz;
import io.jitflow.flux.ParityBundle;
import io.jitflow.flux.ParitySet;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** Every variant, layout, arithmetic and case of a parity set of kind {@code transformer}. */
public final class TransformerParity {
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
    FluxBundle bundle =
        ParityBundle.convert(ParityBundle.withTransformer(set, variant, layout), dtype, scratch);
    assertThat(bundle.transformer().guidanceEmbedding())
        .isEqualTo(variant.getAsJsonObject("config").get("guidance_embeds").getAsBoolean());
    boolean wide = dtype == DType.F32;
    String expected = wide ? "expected" : "expected_bf16";
    String arithmetic = wide ? "float32" : "bfloat16";
    try (ModulatedFlux transformer =
        ModulatedFlux.load(
            bundle.requireModulation(),
            bundle.file(FluxNetwork.TRANSFORMER),
            bundle.transformer())) {
      for (JsonObject one : ParitySet.objects(variant, "cases")) {
        if (one.getAsJsonObject("content").has(expected)) {
          try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
            Npz npz = Npz.read(manager, set.file(one.get("arrays").getAsString()));
            String name = one.get("name").getAsString();
            set.assertMatches(arithmetic, name, velocity(transformer, npz), npz, expected);
          }
        }
      }
    }
  }

  private static NDArray velocity(ModulatedFlux transformer, Npz npz) {
    NDArray img = npz.get("img");
    NDArray ids = npz.get("img_ids");
    boolean shared = ids.getShape().dimension() == 2;
    NDArray imgIds = shared ? ids.expandDims(0).repeat(0, img.getShape().get(0)) : ids;
    NDArray sigma = npz.get("timestep");
    NDArray guidance = npz.has("guidance") ? npz.get("guidance") : sigma.onesLike();
    return transformer.velocity(
        img, imgIds, npz.get("txt"), npz.get("txt_ids"), npz.get("vec"), sigma, guidance);
  }
}
