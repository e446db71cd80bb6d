package io.jitflow.flux;

import com.google.gson.JsonObject;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.LoraAdapter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Bundles of the small random networks that were recorded, in float32 unless said otherwise. */
public final class TinyBundle {
  private TinyBundle() {}

  /** The bundle of the recorded pipeline with guidance embedding. */
  public static Path dev(Path scratch, LoraAdapter... adapters) throws IOException {
    return dev(scratch, DType.F32, adapters);
  }

  /** The same with weights of another type. */
  static Path dev(Path scratch, DType dtype, LoraAdapter... adapters) throws IOException {
    Path set = Fixtures.folder("parity").resolve("pipeline-tiny");
    JsonObject json = Fixtures.json(set.resolve("case.json")).getAsJsonObject();
    JsonObject run = json.getAsJsonArray("cases").get(0).getAsJsonObject();
    return of(set, run, scratch, dtype, adapters);
  }

  /** The bundle of one case of a recorded pipeline. */
  static Path of(Path set, JsonObject run, Path scratch) throws IOException {
    return of(set, run, scratch, DType.F32);
  }

  private static Path of(
      Path set, JsonObject run, Path scratch, DType dtype, LoraAdapter... adapters)
      throws IOException {
    JsonObject parts = run.getAsJsonObject("parts");
    Path scheduler = Files.createTempDirectory(scratch, "scheduler");
    Files.writeString(
        scheduler.resolve("scheduler_config.json"),
        run.getAsJsonObject("scheduler_config").toString());
    FluxCheckpoint checkpoint =
        new FluxCheckpoint(
            part(set, parts, "transformer"),
            Optional.empty(),
            Optional.empty(),
            part(set, parts, "vae"),
            Optional.empty(),
            part(set, parts, "text_encoder"),
            part(set, parts, "text_encoder_2"),
            part(set, parts, "tokenizer"),
            part(set, parts, "tokenizer_2"),
            Optional.of(scheduler));
    Path bundle = Files.createTempDirectory(scratch, "bundles").resolve("bundle");
    FluxConverter.convert(
        checkpoint,
        bundle,
        ConversionOptions.defaults()
            .withDtype(dtype)
            .withAdapters(List.of(adapters))
            .withT5Tokens(run.get("t5_max_length").getAsInt()),
        progress -> {});
    return bundle;
  }

  private static Path part(Path set, JsonObject parts, String name) {
    return set.resolve(parts.get(name).getAsString()).normalize();
  }
}
