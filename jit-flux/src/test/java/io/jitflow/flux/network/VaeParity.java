package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** Every variant, layout and case of a parity set of kind {@code vae}. */
public final class VaeParity {
  private VaeParity() {}

  /** The tests of one set. */
  public static Stream<DynamicNode> tests(ParitySet set, Path scratch) {
    List<DynamicNode> nodes = new ArrayList<>();
    for (JsonObject variant : ParitySet.objects(set.description(), "variants")) {
      for (String layout : List.of("bfl", "diffusers")) {
        if (variant.getAsJsonObject("weights").has(layout)) {
          String title =
              String.join(" ", set.title(), variant.get("variant").getAsString(), layout);
          nodes.add(DynamicTest.dynamicTest(title, () -> check(set, variant, layout, scratch)));
        }
      }
    }
    return nodes.stream();
  }

  private static void check(ParitySet set, JsonObject variant, String layout, Path scratch)
      throws IOException {
    ConvertedNetwork<VaeArchitecture> vae =
        ConvertedNetwork.vae(
            set.file(variant.getAsJsonObject("weights").get(layout).getAsString()),
            layout.equals("bfl") ? Optional.of(config(variant, scratch)) : Optional.empty(),
            DType.F32,
            Files.createTempDirectory(scratch, "vae"));
    try (VaeDecoder decoder = VaeDecoder.load(vae.file(), Device.cpu(), vae.architecture());
        VaeEncoder encoder =
            VaeEncoder.load(vae.file(FluxBundle.VAE_ENCODER), Device.cpu(), vae.architecture())) {
      for (JsonObject one : ParitySet.objects(variant, "cases")) {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu())) {
          Npz npz = Npz.read(manager, set.file(one.get("arrays").getAsString()));
          NDArray image = decoder.decode(npz.get("latent"));
          String name = one.get("name").getAsString();
          set.assertMatches("float32", name, image, npz, "expected_image");
          NDArray picture = npz.get("image");
          set.assertMatches("float32", name, encoder.moments(picture), npz, "expected_moments");
          set.assertMatches("float32", name, encoder.encode(picture), npz, "expected_latent");
        }
      }
    }
  }

  /** What the original layout has no configuration for. */
  private static Path config(JsonObject variant, Path scratch) throws IOException {
    JsonObject recorded = variant.getAsJsonObject("config");
    JsonObject config = new JsonObject();
    config.addProperty("_class_name", "AutoencoderKL");
    config.add("norm_num_groups", recorded.get("norm_groups"));
    config.add("scaling_factor", recorded.get("scale_factor"));
    config.add("shift_factor", recorded.get("shift_factor"));
    Path file = Files.createTempFile(scratch, "vae", ".json");
    return Files.writeString(file, config.toString());
  }
}
