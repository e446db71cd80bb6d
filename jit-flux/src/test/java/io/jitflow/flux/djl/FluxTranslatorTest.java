package io.jitflow.flux.djl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Application;
import ai.djl.Device;
import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.TinyBundle;
import io.jitflow.flux.bundle.BundleException;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxTranslatorTest {
  private static final String JSON =
      "{\"prompt\": \"a small red cat\", \"widthPx\": 64, \"heightPx\": 96, \"seed\": 7, \"steps\":"
          + " 2}";

  @TempDir static Path scratch;
  private static Path bundle;
  private static byte[] expected;

  @BeforeAll
  static void drawThroughThePlainApi() throws IOException {
    bundle = TinyBundle.dev(scratch);
    try (FluxPipeline pipeline =
        FluxPipeline.load(bundle, FluxOptions.defaults().withDevice(Device.cpu()))) {
      expected = pipeline.generate(request(pipeline)).toPng(0);
    }
  }

  private static ImageRequest request(FluxPipeline pipeline) {
    return request().withSampler(new EulerSampler(pipeline.schedule(), 2));
  }

  private static ImageRequest request() {
    return ImageRequest.of("a small red cat").withSize(64, 96).withSeed(7);
  }

  private static <I, O> Criteria.Builder<I, O> criteria(
      Class<I> input, Class<O> output, Path folder) {
    return Criteria.builder()
        .setTypes(input, output)
        .optApplication(Application.CV.IMAGE_GENERATION)
        .optModelPath(folder)
        .optEngine("PyTorch")
        .optDevice(Device.cpu())
        .optTranslatorFactory(new FluxTranslatorFactory())
        .optArgument("blockFactory", FluxBlockFactory.class.getName())
        .optOption("hasParameter", "false");
  }

  private static Input json(String text) {
    Input input = new Input();
    input.addProperty("Content-Type", "application/json");
    input.add(text);
    return input;
  }

  @Test
  void predict_requestToImages_givesThePngOfThePlainApi() throws Exception {
    try (ZooModel<ImageRequest, GeneratedImages> model =
            criteria(ImageRequest.class, GeneratedImages.class, bundle).build().loadModel();
        Predictor<ImageRequest, GeneratedImages> predictor = model.newPredictor()) {
      FluxPipeline inside = ((FluxBlock) model.getBlock()).pipeline();
      GeneratedImages images = predictor.predict(request(inside));
      assertThat(images.toPng(0)).isEqualTo(expected);
      assertThat(images.timings().total()).isPositive();
    }
  }

  @Test
  void predict_inputToOutput_givesThePngOfThePlainApi() throws Exception {
    try (ZooModel<Input, Output> model =
            criteria(Input.class, Output.class, bundle).build().loadModel();
        Predictor<Input, Output> predictor = model.newPredictor()) {
      Output output = predictor.predict(json(JSON));
      assertThat(output.getData().getAsBytes()).isEqualTo(expected);
      assertThat(output.getProperty("Content-Type", "")).isEqualTo("image/png");
      assertThat(output.getProperty("seed", "")).isEqualTo("7");
      assertThat(output.getCode()).isEqualTo(200);
    }
  }

  @Test
  void predict_promptToImage_takesTheModelsArguments() throws Exception {
    try (ZooModel<String, Image> model =
            criteria(String.class, Image.class, bundle)
                .optArgument("widthPx", "64")
                .optArgument("heightPx", "32")
                .optArgument("steps", "1")
                .optArgument("memory", "sequential")
                .optArgument("cachedPrompts", "0")
                .build()
                .loadModel();
        Predictor<String, Image> predictor = model.newPredictor()) {
      BufferedImage image = (BufferedImage) predictor.predict("a cat").getWrappedImage();
      assertThat(image.getWidth()).isEqualTo(64);
      assertThat(image.getHeight()).isEqualTo(32);
    }
  }

  @Test
  void loadModel_settingsInServingProperties_loadsTheFolder() throws Exception {
    Path folder = scratch.resolve("serving");
    copy(bundle, folder);
    Files.writeString(
        folder.resolve("serving.properties"),
        """
        engine=PyTorch
        blockFactory=io.jitflow.flux.djl.FluxBlockFactory
        translatorFactory=io.jitflow.flux.djl.FluxTranslatorFactory
        option.hasParameter=false
        widthPx=64
        heightPx=96
        steps=2
        """);
    Criteria<Input, Output> criteria =
        Criteria.builder()
            .setTypes(Input.class, Output.class)
            .optModelPath(folder)
            .optDevice(Device.cpu())
            .optTranslatorFactory(new FluxTranslatorFactory())
            .build();
    try (ZooModel<Input, Output> model = criteria.loadModel();
        Predictor<Input, Output> predictor = model.newPredictor()) {
      Output output = predictor.predict(json("{\"prompt\": \"a small red cat\", \"seed\": 7}"));
      assertThat(output.getData().getAsBytes()).isEqualTo(expected);
    }
  }

  @Test
  void predict_wrongSettings_endInATranslateExceptionWithTheReason() throws Exception {
    try (ZooModel<Input, Output> model =
            criteria(Input.class, Output.class, bundle).build().loadModel();
        Predictor<Input, Output> predictor = model.newPredictor()) {
      assertFailure(
          predictor,
          "{\"prompt\": \"a cat\", \"widthPx\": 1000}",
          "width must be a multiple of 16 px, got 1000; try 992 or 1008");
      assertFailure(
          predictor,
          "{\"prompt\": \"a cat\", \"preset\": \"fastest\"}",
          "unknown preset \"fastest\"");
      assertFailure(predictor, "{\"widthPx\": 64}", "prompt: expected a text, found nothing");
      assertFailure(predictor, "{\"prompt\": \"a cat\", \"sise\": 64}", "sise is no setting");
      assertFailure(predictor, "a cat", "expected JSON");
      assertThatThrownBy(() -> predictor.predict(new Input()))
          .isInstanceOf(TranslateException.class)
          .hasMessageContaining("found no content");
    }
  }

  private static void assertFailure(
      Predictor<Input, Output> predictor, String json, String message) {
    assertThatThrownBy(() -> predictor.predict(json(json)))
        .isInstanceOf(TranslateException.class)
        .hasMessageContaining(message);
  }

  @Test
  void predict_cancelledInput_endsTheCall() throws Exception {
    try (ZooModel<Input, Output> model =
            criteria(Input.class, Output.class, bundle).build().loadModel();
        Predictor<Input, Output> predictor = model.newPredictor()) {
      Input input = json(JSON);
      input.setCancelled(true);
      assertThatThrownBy(() -> predictor.predict(input))
          .isInstanceOf(TranslateException.class)
          .hasCauseInstanceOf(CancellationException.class);
    }
  }

  @Test
  void loadModel_wrongSettings_endInTheReason() {
    assertThatThrownBy(
            () ->
                criteria(Input.class, Output.class, bundle)
                    .optArgument("preset", "fastest")
                    .build()
                    .loadModel())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("unknown preset \"fastest\"");
    assertThatThrownBy(
            () ->
                criteria(Input.class, Output.class, bundle)
                    .optArgument("widthPx", "1000")
                    .build()
                    .loadModel())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("width must be a multiple of 16 px, got 1000; try 992 or 1008");
    assertThatThrownBy(
            () ->
                criteria(Input.class, Output.class, bundle)
                    .optArgument("memory", "much")
                    .build()
                    .loadModel())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("memory: expected one of");
    assertThatThrownBy(() -> criteria(Input.class, Output.class, scratch).build().loadModel())
        .isInstanceOf(BundleException.class)
        .hasMessageContaining("expected a bundle, found no manifest.json");
    Path missing = scratch.resolve("missing");
    assertThatThrownBy(() -> criteria(Input.class, Output.class, missing).build().loadModel())
        .isInstanceOf(ModelNotFoundException.class); // DJL looks for the folder itself
    assertThatThrownBy(() -> criteria(String.class, Output.class, bundle).build().loadModel())
        .isInstanceOf(ModelNotFoundException.class);
  }

  @Test
  void close_ofTheModel_endsARunningCallAndThePipeline() throws Exception {
    ZooModel<ImageRequest, GeneratedImages> model =
        criteria(ImageRequest.class, GeneratedImages.class, bundle).build().loadModel();
    FluxPipeline pipeline = ((FluxBlock) model.getBlock()).pipeline();
    CountDownLatch started = new CountDownLatch(1);
    SamplingListener listener = step -> started.countDown();
    ImageRequest request =
        request(pipeline)
            .withSampler(new EulerSampler(pipeline.schedule(), 5_000))
            .withListener(listener);
    CompletableFuture<GeneratedImages> running =
        CompletableFuture.supplyAsync(() -> pipeline.generate(request));
    assertThat(started.await(60, TimeUnit.SECONDS)).isTrue();
    model.close();
    assertThatThrownBy(() -> running.get(60, TimeUnit.SECONDS))
        .satisfiesAnyOf(
            e -> assertThat(e).isInstanceOf(CancellationException.class),
            e ->
                assertThat(e)
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(CancellationException.class));
    assertThatThrownBy(() -> pipeline.generate(request())).hasMessage("the pipeline is closed");
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }
}
