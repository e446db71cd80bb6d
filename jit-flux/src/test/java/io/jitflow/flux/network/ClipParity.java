package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.core.testing.Npz;
import io.jitflow.flux.ParitySet;
import io.jitflow.flux.convert.ConvertedNetwork;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** Both rules for the pooled embedding and both arithmetics of a CLIP parity set. */
public final class ClipParity {
  private ClipParity() {}

  /** The tests of one set. */
  public static Stream<DynamicNode> tests(ParitySet set, Path scratch) {
    JsonObject description = set.description();
    JsonObject content = description.getAsJsonObject("content");
    JsonObject config = description.getAsJsonObject("config");
    List<DynamicNode> nodes = new ArrayList<>();
    nodes.add(
        DynamicTest.dynamicTest(
            set.title() + " F32",
            () -> check(set, config, DType.F32, "float32", "expected_pooled", scratch)));
    if (description.has("alternative_config")) {
      JsonObject alternative =
          Fixtures.json(set.file(description.get("alternative_config").getAsString()))
              .getAsJsonObject();
      nodes.add(
          DynamicTest.dynamicTest(
              set.title() + " F32, pooled at the end-of-text id",
              () ->
                  check(
                      set, alternative, DType.F32, "float32", "expected_pooled_eos_id", scratch)));
    }
    if (content.has("expected_pooled_bf16")) {
      nodes.add(
          DynamicTest.dynamicTest(
              set.title() + " BF16",
              () -> check(set, config, DType.BF16, "bfloat16", "expected_pooled_bf16", scratch)));
    }
    return nodes.stream();
  }

  private static void check(
      ParitySet set,
      JsonObject config,
      DType dtype,
      String arithmetic,
      String expectedPooled,
      Path scratch)
      throws IOException {
    Path folder = Files.createTempDirectory(scratch, "clip");
    try (Stream<Path> files =
        Files.list(set.file(set.description().get("weights").getAsString()))) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()));
      }
    }
    Files.writeString(folder.resolve("config.json"), config.toString());
    ConvertedNetwork<ClipArchitecture> clip =
        ConvertedNetwork.clip(folder, dtype, Files.createTempDirectory(scratch, "clip"));
    try (ClipTextEncoder encoder =
            ClipTextEncoder.load(clip.file(), Device.cpu(), clip.architecture());
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      Npz arrays = Npz.read(manager, set.file(set.description().get("arrays").getAsString()));
      NDArray ids = arrays.get("input_ids");
      ClipTextEncoder.Encoding encoding = encoder.encode(ids);
      set.assertMatches(arithmetic, "pooled", encoding.pooled(), arrays, expectedPooled);
      if (dtype == DType.F32) {
        set.assertMatches(
            arithmetic, "hidden", encoding.lastHiddenState(), arrays, "expected_last_hidden_state");
      }
    }
  }
}
