package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.core.testing.Npz;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.Inpainting;
import io.jitflow.flux.image.SourceImage;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/**
 * Image to image and inpainting against whole runs of diffusers: the noise level that a strength
 * stands for, known and noised latents, the state before every step, the mask, the picture.
 */
final class EditingParity {
  private final JsonObject run;
  private final Npz recorded;
  private final JsonObject tolerance;

  private EditingParity(ParitySet set, JsonObject run, Npz recorded) {
    this.run = run;
    this.recorded = recorded;
    this.tolerance = set.description().getAsJsonObject("tolerance");
  }

  static List<DynamicNode> tests(ParitySet set, Path scratch) {
    List<DynamicNode> tests =
        new ArrayList<>(
            set.cases(
                (run, recorded, manager) -> new EditingParity(set, run, recorded).check(scratch)));
    double atol = atol(set.description().getAsJsonObject("tolerance"), "sigmas");
    for (JsonObject starts : ParitySet.objects(set.description(), "starts")) {
      tests.add(
          DynamicTest.dynamicTest(
              "%s start of %d steps, %s, %d tokens"
                  .formatted(
                      set.title(),
                      starts.get("steps").getAsInt(),
                      starts.get("kind").getAsString(),
                      starts.get("tokens").getAsInt()),
              () -> checkStarts(starts, atol)));
    }
    return tests;
  }

  private static double atol(JsonObject tolerance, String name) {
    return tolerance.getAsJsonObject(name).get("atol").getAsDouble();
  }

  /** Strengths of 0.01, 0.02, ... 1. */
  private static void checkStarts(JsonObject starts, double atol) {
    SigmaSchedule schedule =
        starts.get("kind").getAsString().equals("dev")
            ? new SigmaSchedule.DynamicShift(0.5, 1.15, 256, 4096)
            : SigmaSchedule.linear();
    TokenGrid grid =
        starts.get("tokens").getAsInt() == 24 ? new TokenGrid(4, 6) : new TokenGrid(64, 64);
    assertThat(grid.tokens()).isEqualTo(starts.get("tokens").getAsInt());
    int steps = starts.get("steps").getAsInt();
    SourceImage picture =
        SourceImage.of(
            new BufferedImage(16 * grid.cols(), 16 * grid.rows(), BufferedImage.TYPE_INT_RGB));
    JsonArray first = starts.getAsJsonArray("first");
    JsonArray sigma = starts.getAsJsonArray("sigma");
    assertThat(first).hasSize(100);
    for (int percent = 1; percent <= 100; percent++) {
      ImageRequest request =
          ImageRequest.of("")
              .withSampler(new EulerSampler(schedule, steps))
              .withImage(picture, percent / 100.0);
      int expected = first.get(percent - 1).getAsInt();
      assertThat(Editing.firstStep(percent / 100.0, steps))
          .as("first of %d steps at strength 0.%02d", steps, percent)
          .isEqualTo(expected);
      assertThat(Editing.takesNoStep(request)).isEqualTo(sigma.get(percent - 1).isJsonNull());
      if (expected < steps) {
        Sampler left = Editing.sampler(request, schedule);
        assertThat(left.steps()).isEqualTo(steps - expected);
        assertThat(left.sigmas(grid)[0])
            .isCloseTo(sigma.get(percent - 1).getAsDouble(), within(atol));
      }
    }
  }

  private void check(Path scratch) throws IOException {
    Path recordings = Fixtures.folder("parity").resolve("pipeline-tiny");
    JsonObject network =
        ParitySet.objects(Fixtures.json(recordings.resolve("case.json")).getAsJsonObject(), "cases")
            .stream()
            .filter(one -> one.get("name").equals(run.get("pipeline")))
            .findFirst()
            .orElseThrow();
    SourceImage picture = picture("picture");
    try (FluxPipeline pipeline =
        FluxPipeline.load(
            TinyBundle.of(recordings, network, scratch),
            FluxOptions.defaults().withDevice(Device.cpu()))) {
      List<float[]> states = new ArrayList<>();
      Sampler sampler =
          new Recorder(
              new EulerSampler(pipeline.schedule(), run.get("steps").getAsInt()), states, this);
      ImageRequest request =
          ImageRequest.of(run.get("prompt").getAsString())
              .withSeed(run.get("seed").getAsLong())
              .withSampler(sampler)
              .withImage(picture, run.get("strength").getAsDouble());
      if (!run.get("guidance").isJsonNull()) {
        request = request.withGuidance(run.get("guidance").getAsDouble());
      }
      if (recorded.has("mask")) {
        request = request.withMask(new Inpainting(picture("mask"), 0, Inpainting.Context.ALL));
      }
      BufferedImage drawn = pipeline.generate(request).bufferedImage(0);
      int steps = recorded.get("sigmas").toFloatArray().length - 1;
      assertThat(states).hasSize(steps + 1);
      for (int i = 0; i < steps; i++) {
        close("latents before step " + i, states.get(i), "latents_before_step" + i);
      }
      close("latents", states.get(steps), "latents");
      checkPixels(drawn, picture);
    }
  }

  /** What the sampler is given. */
  private void checkRequest(SamplingRequest sampling, double[] sigmas) {
    close("known latents", sampling.known().orElseThrow().toFloatArray(), "clean_latents");
    float[] levels = recorded.get("sigmas").toFloatArray();
    assertThat(sigmas).hasSize(levels.length - 1);
    for (int i = 0; i < sigmas.length; i++) {
      assertThat(sigmas[i]).isCloseTo(levels[i], within(atol(tolerance, "sigmas")));
    }
    assertThat(sampling.mask().isPresent()).isEqualTo(recorded.has("mask"));
    sampling
        .mask()
        .ifPresent(mask -> Arrays32.assertIdentical("mask", mask, recorded.get("mask_latents")));
  }

  private void close(String what, float[] found, String name) {
    Arrays32.assertClose(
        what, found, recorded.get(name).toFloatArray(), atol(tolerance, "float32"), 0);
  }

  private SourceImage picture(String name) {
    NDArray pixels = recorded.get(name);
    Shape shape = pixels.getShape();
    byte[] levels = pixels.toByteArray();
    int height = (int) shape.get(0);
    int width = (int) shape.get(1);
    int channels = levels.length / (height * width);
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < height * width; i++) {
      int rgb = 0;
      for (int c = 0; c < 3; c++) {
        rgb = (rgb << 8) | (levels[channels * i + c % channels] & 255);
      }
      image.setRGB(i % width, i / width, rgb);
    }
    return SourceImage.of(image);
  }

  /** The reference decodes and stops there; here what the mask keeps is the picture's own. */
  private void checkPixels(BufferedImage drawn, SourceImage picture) {
    byte[] levels = recorded.get("image_uint8").toByteArray();
    int[] kept = picture.pixels();
    int[] mask = recorded.has("mask") ? picture("mask").pixels() : null;
    int width = drawn.getWidth();
    for (int i = 0; i < kept.length; i++) {
      int rgb = drawn.getRGB(i % width, i / width) & 0xffffff;
      if (mask != null && mask[i] == 0) {
        assertThat(rgb).as("kept pixel %d", i).isEqualTo(kept[i]);
        continue;
      }
      for (int c = 0; c < 3; c++) {
        int level = rgb >> (16 - 8 * c) & 255;
        assertThat(Math.abs(level - (levels[3 * i + c] & 255)))
            .as("channel %d of pixel %d", c, i)
            .isLessThanOrEqualTo((int) atol(tolerance, "image_uint8"));
      }
    }
  }

  /** Checks what it is given, and can start late. */
  private static final class Recorder extends StateRecorder {
    private final EditingParity parity;

    Recorder(EulerSampler euler, List<float[]> states, EditingParity parity) {
      super(euler, states);
      this.parity = parity;
    }

    @Override
    public NDArray sample(VelocityModel model, SamplingRequest request) {
      parity.checkRequest(request, euler.sigmas(request.grid()));
      return super.sample(model, request);
    }

    @Override
    public boolean usesTransitionNoise() {
      return false;
    }

    @Override
    public double[] sigmas(TokenGrid grid) {
      return euler.sigmas(grid);
    }

    @Override
    public Sampler startingAt(double sigma, TokenGrid grid) {
      return new Recorder(euler.startingAt(sigma, grid), states, parity);
    }
  }
}
