package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Npz;
import io.jitflow.flux.ParitySet;
import io.jitflow.flux.safetensors.DType;
import io.jitflow.flux.safetensors.TensorFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/** Every variant, weight file and case of a parity set of kind {@code transformer}. */
public final class TransformerParity {
  private TransformerParity() {}

  /** The tests of one set. */
  public static Stream<DynamicNode> tests(ParitySet set, Path scratch) {
    List<DynamicNode> nodes = new ArrayList<>();
    for (JsonObject variant : ParitySet.objects(set.description(), "variants")) {
      for (DType dtype : List.of(DType.F32, DType.BF16)) {
        for (JsonObject one : ParitySet.objects(variant, "cases")) {
          String expected = dtype == DType.F32 ? "expected" : "expected_bf16";
          if (one.getAsJsonObject("content").has(expected)) {
            String title =
                String.join(
                    " ",
                    set.title(),
                    variant.get("variant").getAsString(),
                    dtype.name(),
                    one.get("name").getAsString());
            nodes.add(
                DynamicTest.dynamicTest(
                    title, () -> check(set, variant, dtype, one, expected, scratch)));
          }
        }
      }
    }
    return nodes.stream();
  }

  private static void check(
      ParitySet set, JsonObject variant, DType dtype, JsonObject one, String expected, Path scratch)
      throws IOException {
    FluxArchitecture architecture = architecture(variant);
    Path file = Files.createTempFile(scratch, "transformer", ".pt");
    try (TensorFiles files =
        TensorFiles.open(set.file(variant.getAsJsonObject("weights").get("bfl").getAsString()))) {
      NetworkProgram.of(architecture)
          .write(
              file,
              name -> {
                try {
                  return HeapTensor.read(files, name, dtype);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              },
              bytes -> {});
    }
    try (FluxTransformer transformer = FluxTransformer.load(file, Device.cpu(), architecture);
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      Npz arrays = Npz.read(manager, set.file(one.get("arrays").getAsString()));
      NDArray img = arrays.get("img");
      long batch = img.getShape().get(0);
      NDArray ids = arrays.get("img_ids");
      NDArray imgIds = ids.expandDims(0).repeat(0, batch);
      NDArray sigma = arrays.get("timestep");
      NDArray guidance = arrays.has("guidance") ? arrays.get("guidance") : sigma.onesLike();
      NDArray found =
          transformer.velocity(
              img,
              imgIds,
              arrays.get("txt"),
              arrays.get("txt_ids"),
              arrays.get("vec"),
              sigma,
              guidance);
      String arithmetic = dtype == DType.F32 ? "float32" : "bfloat16";
      set.assertMatches(arithmetic, one.get("name").getAsString(), found, arrays, expected);
    }
  }

  private static FluxArchitecture architecture(JsonObject variant) {
    JsonObject config = variant.getAsJsonObject("config");
    int heads = config.get("num_attention_heads").getAsInt();
    int hidden = heads * config.get("attention_head_dim").getAsInt();
    var axes = config.getAsJsonArray("axes_dims_rope");
    return new FluxArchitecture(
        config.get("in_channels").getAsInt(),
        hidden,
        heads,
        (int) (hidden * variant.get("mlp_ratio").getAsDouble()),
        IntStream.range(0, axes.size()).mapToObj(i -> axes.get(i).getAsInt()).toList(),
        config.get("num_layers").getAsInt(),
        config.get("num_single_layers").getAsInt(),
        config.get("joint_attention_dim").getAsInt(),
        config.get("pooled_projection_dim").getAsInt(),
        config.get("guidance_embeds").getAsBoolean(),
        variant.get("rope_theta").getAsDouble());
  }
}
