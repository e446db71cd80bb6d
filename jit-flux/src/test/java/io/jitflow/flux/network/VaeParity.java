package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Npz;
import io.jitflow.flux.ParitySet;
import io.jitflow.flux.safetensors.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** Every variant and case of a parity set of kind {@code vae}. */
public final class VaeParity {
  private VaeParity() {}

  /** The tests of one set. */
  public static Stream<DynamicNode> tests(ParitySet set, Path scratch) {
    List<DynamicNode> nodes = new ArrayList<>();
    for (JsonObject variant : ParitySet.objects(set.description(), "variants")) {
      for (JsonObject one : ParitySet.objects(variant, "cases")) {
        String title =
            String.join(
                " ",
                set.title(),
                variant.get("variant").getAsString(),
                one.get("name").getAsString());
        nodes.add(DynamicTest.dynamicTest(title, () -> check(set, variant, one, scratch)));
      }
    }
    return nodes.stream();
  }

  private static void check(ParitySet set, JsonObject variant, JsonObject one, Path scratch)
      throws IOException {
    VaeArchitecture architecture = architecture(variant.getAsJsonObject("config"));
    Path weights = set.file(variant.getAsJsonObject("weights").get("bfl").getAsString());
    Path file =
        ParityWeights.torchscript(NetworkProgram.of(architecture), weights, DType.F32, scratch);
    try (VaeDecoder decoder = VaeDecoder.load(file, Device.cpu(), architecture);
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      Npz arrays = Npz.read(manager, set.file(one.get("arrays").getAsString()));
      NDArray image = decoder.decode(arrays.get("latent"));
      set.assertMatches("float32", one.get("name").getAsString(), image, arrays, "expected_image");
    }
  }

  private static VaeArchitecture architecture(JsonObject config) {
    int channels = config.get("ch").getAsInt();
    return new VaeArchitecture(
        config.get("z_channels").getAsInt(),
        StreamSupport.stream(config.getAsJsonArray("ch_mult").spliterator(), false)
            .map(factor -> channels * factor.getAsInt())
            .toList(),
        config.get("num_res_blocks").getAsInt(),
        config.get("norm_groups").getAsInt(),
        config.get("scale_factor").getAsDouble(),
        config.get("shift_factor").getAsDouble(),
        false);
  }
}
