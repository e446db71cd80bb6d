package io.jitflow.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.jitflow.core.EulerSampler;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.FluxPool;
import io.jitflow.flux.bundle.BundleException;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.mini.FluxMini;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImageOptionsBuilder;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** Run on Spring Boot 3.5 here, and again on Spring Boot 4 by an example. */
class FluxAutoConfigurationTest {
  private static Path bundle;

  @BeforeAll
  static void unpack() throws IOException {
    bundle = FluxMini.bundle();
  }

  private static ApplicationContextRunner application(String... properties) {
    return new ApplicationContextRunner()
        .withConfiguration(
            AutoConfigurations.of(
                FluxAutoConfiguration.class,
                FluxBoot3HealthAutoConfiguration.class,
                FluxBoot4HealthAutoConfiguration.class))
        .withPropertyValues(
            "spring.ai.jit.image.bundle=" + bundle,
            "spring.ai.jit.image.devices=cpu",
            "spring.ai.jit.image.options.width=128",
            "spring.ai.jit.image.options.height=64",
            "spring.ai.jit.image.options.steps=2")
        .withPropertyValues(properties);
  }

  private static byte[] png(ImageGeneration generation) {
    return Base64.getDecoder().decode(generation.getOutput().getB64Json());
  }

  private static ImageRequest request(FluxPipeline pipeline) {
    return ImageRequest.of("red apple")
        .withSize(128, 64)
        .withSeed(5)
        .withSampler(new EulerSampler(pipeline.schedule(), 2));
  }

  @Test
  void call_propertiesAndOptions_giveThePngsOfThePlainApi() throws IOException {
    GeneratedImages plain;
    GeneratedImages negative;
    try (FluxPipeline pipeline =
        FluxPipeline.load(bundle, FluxOptions.defaults().withDevice(Device.cpu()))) {
      plain = pipeline.generate(request(pipeline).withCount(2));
      negative = pipeline.generate(request(pipeline).withNegativePrompt("pear, green", 3));
    }
    application("spring.ai.jit.image.options.seed=5")
        .run(
            context -> {
              ImageModel model = context.getBean(ImageModel.class);
              ImageResponse two =
                  model.call(new ImagePrompt("red apple", FluxImageOptions.none().withN(2)));
              assertThat(two.getResults()).hasSize(2);
              assertThat(png(two.getResults().get(0))).isEqualTo(plain.toPng(0));
              assertThat(png(two.getResults().get(1))).isEqualTo(plain.toPng(1));
              assertThat(((FluxImageMetadata) two.getResults().get(1).getMetadata()).seed())
                  .isEqualTo(6);
              assertThat(two.getMetadata().<String>get("sampler")).isEqualTo("euler");

              ImageResponse portable =
                  model.call(
                      new ImagePrompt(
                          "red apple", ImageOptionsBuilder.builder().width(128).build()));
              assertThat(png(portable.getResult())).isEqualTo(plain.toPng(0));

              ImageResponse weighted =
                  model.call(
                      new ImagePrompt(
                          List.of(
                              new ImageMessage("pear", -1f),
                              new ImageMessage("red apple"),
                              new ImageMessage("green", -0.5f)),
                          new FluxImageOptions(
                              null, null, null, null, null, null, null, null, 3.0)));
              assertThat(png(weighted.getResult())).isEqualTo(negative.toPng(0));
            });
  }

  @Test
  void call_wrongOptions_areRefusedWithTheReason() {
    application()
        .run(
            context -> {
              ImageModel model = context.getBean(ImageModel.class);
              assertRefused(
                  model,
                  new ImagePrompt("a cat", FluxImageOptions.none().withSize(1000, 64)),
                  "width must be a multiple of 16 px, got 1000; try 992 or 1008");
              assertRefused(
                  model,
                  new ImagePrompt("a cat", FluxImageOptions.none().withPreset("fastest")),
                  "unknown preset \"fastest\"");
              assertRefused(
                  model,
                  new ImagePrompt(
                      "a cat", ImageOptionsBuilder.builder().responseFormat("url").build()),
                  "the response format must be b64_json, got 'url'");
              assertRefused(
                  model,
                  new ImagePrompt("a cat", ImageOptionsBuilder.builder().style("vivid").build()),
                  "FLUX has no styles");
              assertRefused(
                  model,
                  new ImagePrompt(new ImageMessage("a cat", -1f), null),
                  "got 1 of negative weight only");
            });
  }

  private static void assertRefused(ImageModel model, ImagePrompt prompt, String reason) {
    assertThatThrownBy(() -> model.call(prompt))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void start_wrongProperties_failsTheContextWithTheReason() {
    assertFails(
        "options.width=1000", IllegalArgumentException.class, "multiple of 16 px, got 1000");
    assertFails(
        "options.preset=fastest", IllegalArgumentException.class, "unknown preset \"fastest\"");
    assertFails("bundle=" + bundle + "-missing", BundleException.class, "expected a bundle folder");
    assertFails("bundle=", IllegalArgumentException.class, "spring.ai.jit.image.bundle is not set");
    assertFails("devices=tpu", IllegalArgumentException.class, "expected cpu, gpu0");
  }

  private static void assertFails(String property, Class<?> cause, String reason) {
    application("spring.ai.jit.image." + property)
        .run(
            context ->
                assertThat(context.getStartupFailure())
                    .isInstanceOf(BeanCreationException.class)
                    .hasRootCauseInstanceOf(cause.asSubclass(Throwable.class))
                    .hasStackTraceContaining(reason));
  }

  @Test
  void start_anotherImageModelChosen_loadsNothing() {
    application("spring.ai.model.image=openai", "spring.ai.jit.image.bundle=missing")
        .run(context -> assertThat(context).doesNotHaveBean(FluxPool.class));
    application("spring.ai.model.image=jit")
        .run(context -> assertThat(context).hasSingleBean(FluxImageModel.class));
  }

  @Test
  void health_ofTheModel_isUpWithItsQueue() {
    application()
        .run(
            context -> {
              // the interface is of another package in Boot 4, the words are the same
              Object indicator = context.getBean("jitHealthIndicator");
              assertThat(String.valueOf(health(indicator)))
                  .contains("UP", "pipelines=1", "healthy=1", "waiting=0", bundle.toString());
              context.getBean(FluxPool.class).close();
              assertThat(String.valueOf(health(indicator))).contains("DOWN");
            });
    application("management.health.jit.enabled=false")
        .run(context -> assertThat(context).doesNotHaveBean("jitHealthIndicator"));
  }

  private static Object health(Object indicator) throws ReflectiveOperationException {
    String interfaceName = indicator.getClass().getInterfaces()[0].getName();
    return Class.forName(interfaceName).getMethod("health").invoke(indicator);
  }

  @Test
  void close_ofTheContext_cancelsARunningImage() {
    AtomicReference<CompletableFuture<GeneratedImages>> running = new AtomicReference<>();
    application()
        .run(
            context -> {
              FluxPool pool = context.getBean(FluxPool.class);
              CountDownLatch started = new CountDownLatch(1);
              running.set(
                  pool.generateAsync(
                      ImageRequest.of("red apple")
                          .withSize(64, 64)
                          .withSampler(new EulerSampler(pool.schedule(), 5_000))
                          .withListener(step -> started.countDown())));
              assertThat(started.await(60, TimeUnit.SECONDS)).isTrue();
            });
    assertThatThrownBy(() -> running.get().get(60, TimeUnit.SECONDS))
        .isInstanceOf(CancellationException.class);
  }
}
