package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonObject;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.core.testing.Npz;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.ClipTextEncoder;
import io.jitflow.flux.network.LatentPacking;
import io.jitflow.flux.network.T5TextEncoder;
import io.jitflow.flux.network.VaeDecoder;
import io.jitflow.flux.tokenizer.ClipTokenizer;
import io.jitflow.flux.tokenizer.T5Tokenizer;
import io.jitflow.flux.weights.FluxNetwork;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicNode;

/** The whole pipeline, prompt to image, from the files that were recorded with it. */
final class PipelineParity {
  private final ParitySet set;
  private final JsonObject run;
  private final Npz recorded;
  private final double tolerance;
  private final double noiseTolerance;

  private PipelineParity(ParitySet set, JsonObject run, Npz recorded) {
    this.set = set;
    this.run = run;
    this.recorded = recorded;
    JsonObject tolerances = set.description().getAsJsonObject("tolerance");
    this.tolerance = tolerances.getAsJsonObject("float32").get("atol").getAsDouble();
    this.noiseTolerance = tolerances.getAsJsonObject("noise").get("atol").getAsDouble();
  }

  static List<DynamicNode> tests(ParitySet set, Path scratch) {
    return set.cases(
        (run, recorded, manager) -> new PipelineParity(set, run, recorded).check(scratch, manager));
  }

  private void check(Path scratch, NDManager manager) throws IOException {
    FluxBundle bundle = FluxBundle.read(TinyBundle.of(set.folder(), run, scratch));
    checkText(bundle, manager);
    ImageRequest request =
        ImageRequest.of(run.get("prompt").getAsString())
            .withSize(run.get("width").getAsInt(), run.get("height").getAsInt())
            .withSeed(run.get("seed").getAsLong());
    if (!run.get("guidance").isJsonNull()) {
      request = request.withGuidance(run.get("guidance").getAsDouble());
    }
    try (FluxPipeline pipeline =
        FluxPipeline.load(bundle.folder(), FluxOptions.defaults().withDevice(Device.cpu()))) {
      int steps = run.get("steps").getAsInt();
      EulerSampler euler = new EulerSampler(pipeline.schedule(), steps);
      StateRecorder recorder = new StateRecorder(euler, new ArrayList<>());
      GeneratedImages images = pipeline.generate(request.withSampler(recorder));
      checkSchedule(euler, request);
      checkStates(recorder.states, steps, manager);
      checkDecoder(bundle, recorder.states.get(steps), request, manager);
      checkPixels((BufferedImage) images.images().get(0).getWrappedImage());
    }
  }

  private void checkText(FluxBundle bundle, NDManager manager) throws IOException {
    String prompt = run.get("prompt").getAsString();
    try (ClipTokenizer clip = ClipTokenizer.load(bundle.clipTokenizer(), bundle.clipTokens());
        T5Tokenizer t5 = T5Tokenizer.load(bundle.t5Tokenizer(), bundle.t5Tokens());
        ClipTextEncoder clipEncoder =
            ClipTextEncoder.load(
                bundle.file(FluxNetwork.TEXT_ENCODER), Device.cpu(), bundle.textEncoder());
        T5TextEncoder t5Encoder =
            T5TextEncoder.load(
                bundle.file(FluxNetwork.TEXT_ENCODER_2), Device.cpu(), bundle.textEncoder2())) {
      assertThat(clip.ids(prompt)).isEqualTo(recorded.get("clip_ids").toLongArray());
      assertThat(t5.ids(prompt)).isEqualTo(recorded.get("t5_ids").toLongArray());
      NDArray clipIds = manager.create(clip.ids(prompt)).expandDims(0);
      NDArray t5Ids = manager.create(t5.ids(prompt)).expandDims(0);
      close("pooled", clipEncoder.encode(clipIds).pooled(), tolerance);
      close("prompt_embeds", t5Encoder.encode(t5Ids), tolerance);
    }
  }

  private void checkSchedule(EulerSampler euler, ImageRequest request) {
    int tokens = request.widthPx() / 16 * (request.heightPx() / 16);
    double[] sigmas = euler.schedule().sigmas(euler.steps(), tokens);
    float[] expected = recorded.get("sigmas").toFloatArray();
    assertThat(expected).hasSameSizeAs(sigmas);
    for (int i = 0; i < sigmas.length; i++) {
      assertThat((float) sigmas[i])
          .isCloseTo(expected[i], org.assertj.core.data.Offset.offset(1e-6f));
    }
  }

  private void checkStates(List<float[]> states, int steps, NDManager manager) {
    NDArray noise = LatentPacking.pack(recorded.get("noise"));
    Arrays32.assertClose("noise", states.get(0), noise.toFloatArray(), noiseTolerance, 0);
    for (int i = 0; i < steps; i++) {
      NDArray expected = recorded.get("latents_after_step" + i);
      Arrays32.assertClose(
          "latents after step " + i, states.get(i + 1), expected.toFloatArray(), tolerance, 0);
    }
    assertThat(manager.isOpen()).isTrue();
  }

  private void checkDecoder(
      FluxBundle bundle, float[] latents, ImageRequest request, NDManager manager)
      throws IOException {
    int rows = request.heightPx() / 16;
    int cols = request.widthPx() / 16;
    NDArray tokens =
        manager.create(
            latents, new Shape(1, (long) rows * cols, bundle.transformer().inChannels()));
    try (VaeDecoder vae =
        VaeDecoder.load(bundle.file(FluxNetwork.VAE_DECODER), Device.cpu(), bundle.vaeDecoder())) {
      NDArray decoded = vae.decode(LatentPacking.unpack(tokens, new TokenGrid(rows, cols)));
      close("image", decoded.add(1).div(2).clip(0, 1), tolerance);
    }
  }

  private void checkPixels(BufferedImage image) {
    NDArray expected = recorded.get("image_uint8");
    byte[] levels = expected.toByteArray();
    assertThat(expected.getShape()).isEqualTo(new Shape(image.getHeight(), image.getWidth(), 3));
    for (int y = 0, i = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        for (int shift = 16; shift >= 0; shift -= 8, i++) {
          int level = image.getRGB(x, y) >> shift & 0xff;
          assertThat(Math.abs(level - (levels[i] & 0xff))).as("pixel %d, %d", x, y).isLessThan(2);
        }
      }
    }
  }

  private void close(String name, NDArray found, double atol) {
    Arrays32.assertClose(name, found, recorded.get(name), atol);
  }
}
