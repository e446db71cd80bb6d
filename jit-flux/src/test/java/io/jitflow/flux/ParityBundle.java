package io.jitflow.flux;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionListener;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Bundles made by the converter in which one network comes from a parity set and the others from
 * the project's own small ones.
 */
public final class ParityBundle {
  private ParityBundle() {}

  /** Converts, into a new folder below the scratch folder. */
  public static FluxBundle convert(FluxCheckpoint checkpoint, DType dtype, Path scratch)
      throws IOException {
    return FluxBundle.read(
        FluxConverter.convert(
            checkpoint,
            Files.createTempDirectory(scratch, "parity").resolve("bundle"),
            ConversionOptions.defaults()
                .withDtype(dtype)
                .withChecksums(ConversionOptions.Checksums.NONE),
            ConversionListener.NONE));
  }

  /** The project's own networks with another transformer, {@code bfl} or {@code diffusers}. */
  public static FluxCheckpoint withTransformer(ParitySet set, JsonObject variant, String layout) {
    Path weights = set.file(variant.getAsJsonObject("weights").get(layout).getAsString());
    FluxCheckpoint checkpoint = own().withTransformer(weights);
    if (!layout.equals("bfl")) {
      return checkpoint;
    }
    JsonArray axes = variant.getAsJsonObject("config").getAsJsonArray("axes_dims_rope");
    return checkpoint.withRopeAxes(
        IntStream.range(0, axes.size()).mapToObj(i -> axes.get(i).getAsInt()).toList());
  }

  /** The project's own networks with another autoencoder, {@code bfl} or {@code diffusers}. */
  public static FluxCheckpoint withVae(
      ParitySet set, JsonObject variant, String layout, Path scratch) throws IOException {
    Path weights = set.file(variant.getAsJsonObject("weights").get(layout).getAsString());
    FluxCheckpoint checkpoint = own().withVae(weights);
    if (!layout.equals("bfl")) {
      return checkpoint;
    }
    JsonObject recorded = variant.getAsJsonObject("config");
    JsonObject config = new JsonObject();
    config.addProperty("_class_name", "AutoencoderKL");
    config.add("norm_num_groups", recorded.get("norm_groups"));
    config.add("scaling_factor", recorded.get("scale_factor"));
    config.add("shift_factor", recorded.get("shift_factor"));
    Path file = Files.createTempFile(scratch, "vae", ".json");
    Files.writeString(file, config.toString());
    return checkpoint.withVaeConfig(file);
  }

  /** The project's own networks with another CLIP text encoder. */
  public static FluxCheckpoint withTextEncoder(Path folder) {
    return checkpoint(folder, ownTextEncoder2());
  }

  /** The project's own networks with another T5 encoder. */
  public static FluxCheckpoint withTextEncoder2(Path folder) {
    return checkpoint(ownTextEncoder(), folder);
  }

  private static FluxCheckpoint own() {
    return checkpoint(ownTextEncoder(), ownTextEncoder2());
  }

  private static Path ownTextEncoder() {
    return Fixtures.folder("parity/clip-tiny/text_encoder");
  }

  private static Path ownTextEncoder2() {
    return Fixtures.folder("parity/t5-tiny/text_encoder_2");
  }

  private static FluxCheckpoint checkpoint(Path textEncoder, Path textEncoder2) {
    return new FluxCheckpoint(
        Fixtures.folder("parity/flux-tiny-transformer/schnell/transformer"),
        Optional.empty(),
        Optional.empty(),
        Fixtures.folder("parity/flux-tiny-vae/tiny/vae"),
        Optional.empty(),
        textEncoder,
        textEncoder2,
        Fixtures.folder("parity/tokenizers/clip"),
        Fixtures.folder("parity/tokenizers/t5"),
        Optional.empty());
  }
}
