package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
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

/** Short and long rows and both arithmetics of a T5 parity set. */
public final class T5Parity {
  private T5Parity() {}

  /** The tests of one set. */
  public static Stream<DynamicNode> tests(ParitySet set, Path scratch) {
    JsonObject content = set.description().getAsJsonObject("content");
    List<DynamicNode> nodes = new ArrayList<>();
    add(nodes, set, scratch, content, DType.F32, "input_ids", "expected");
    add(nodes, set, scratch, content, DType.F32, "long_input_ids", "long_expected");
    add(nodes, set, scratch, content, DType.BF16, "input_ids", "expected_bf16");
    return nodes.stream();
  }

  private static void add(
      List<DynamicNode> nodes,
      ParitySet set,
      Path scratch,
      JsonObject content,
      DType dtype,
      String ids,
      String expected) {
    if (content.has(expected)) {
      nodes.add(
          DynamicTest.dynamicTest(
              set.title() + " " + expected, () -> check(set, dtype, ids, expected, scratch)));
    }
  }

  private static void check(ParitySet set, DType dtype, String ids, String expected, Path scratch)
      throws IOException {
    Path folder = set.file(set.description().get("weights").getAsString());
    ConvertedNetwork<T5Architecture> t5 =
        ConvertedNetwork.t5(folder, dtype, Files.createTempDirectory(scratch, "t5"));
    try (T5TextEncoder encoder = T5TextEncoder.load(t5.file(), Device.cpu(), t5.architecture());
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      Npz arrays = Npz.read(manager, set.file(set.description().get("arrays").getAsString()));
      NDArray found = encoder.encode(arrays.get(ids));
      String arithmetic = dtype == DType.F32 ? "float32" : "bfloat16";
      set.assertMatches(arithmetic, ids, found, arrays, expected);
    }
  }
}
