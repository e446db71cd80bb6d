package io.jitflow.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.Response;
import io.jitflow.core.EulerSampler;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.FluxPool;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.SourceImage;
import io.jitflow.flux.mini.FluxMini;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class FluxImageModelTest {
  private static final FluxOptions CPU = FluxOptions.defaults().withDevice(Device.cpu());

  private static Path bundle;

  @BeforeAll
  static void unpack() throws IOException {
    bundle = FluxMini.bundle();
  }

  private static FluxImageModel.Builder small() {
    return FluxImageModel.builder().bundle(bundle).options(CPU).widthPx(128).heightPx(64).steps(2);
  }

  @Test
  void generate_severalImages_givesThePngsOfThePlainApi() throws IOException {
    GeneratedImages expected;
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, CPU)) {
      expected =
          pipeline.generate(
              ImageRequest.of("red apple")
                  .withSize(128, 64)
                  .withSeed(5)
                  .withGuidance(2)
                  .withCount(2)
                  .withNegativePrompt("pear", 2)
                  .withSampler(new EulerSampler(pipeline.schedule(), 2)));
    }
    try (FluxImageModel model = small().seed(5).guidance(2).negativePrompt("pear", 2).build()) {
      Response<List<Image>> answer = model.generate("red apple", 2);
      assertThat(answer.content()).hasSize(2);
      for (int i = 0; i < 2; i++) {
        Image image = answer.content().get(i);
        assertThat(image.mimeType()).isEqualTo("image/png");
        assertThat(Base64.getDecoder().decode(image.base64Data())).isEqualTo(expected.toPng(i));
      }
    }
  }

  @Test
  void generate_oneImage_tellsSeedSamplerAndTimings() {
    try (FluxImageModel model = small().build()) {
      ImageModel asLangChain4jSeesIt = model;
      Response<Image> answer = asLangChain4jSeesIt.generate("red apple");
      assertThat(answer.metadata())
          .containsEntry("sampler", "euler")
          .containsEntry("steps", 2)
          .containsKeys("seed", "millis", "denoiseMillis", "request");
      long seed = (long) answer.metadata().get("seed");
      try (FluxImageModel same = small().seed(seed).build()) {
        assertThat(same.generate("red apple").content()).isEqualTo(answer.content());
      }
    }
  }

  @Test
  void edit_pictureAndMask_giveThePngsOfThePlainApi() throws IOException {
    Image image;
    Image mask = picture(new Color(0, 0, 0), 32);
    byte[] edited;
    byte[] masked;
    try (FluxPipeline pipeline = FluxPipeline.load(bundle, CPU)) {
      ImageRequest request =
          ImageRequest.of("pear")
              .withSeed(3)
              .withSampler(new EulerSampler(pipeline.schedule(), 4))
              .withImage(source(picture(Color.GREEN, 0)), 0.5);
      image = picture(Color.GREEN, 0);
      edited = pipeline.generate(request).toPng(0);
      masked = pipeline.generate(request.withMask(source(mask))).toPng(0);
    }
    assertThat(masked).isNotEqualTo(edited);
    try (FluxImageModel model = small().steps(4).seed(3).strength(0.5).build()) {
      assertThat(png(model.edit(image, "pear"))).isEqualTo(edited);
      assertThat(png(model.edit(image, mask, "pear"))).isEqualTo(masked);
      assertThatThrownBy(() -> model.edit(Image.builder().url("file:a.png").build(), "pear"))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("the image must have base64 data");
      assertThatThrownBy(() -> model.edit(Image.builder().base64Data("AAAA").build(), "pear"))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("the image cannot be used: the picture: expected a PNG, JPEG");
    }
  }

  @Test
  void edit_photoHeldUpright_isTurnedAsExifSays() throws IOException {
    BufferedImage pixels = new BufferedImage(96, 64, BufferedImage.TYPE_INT_RGB);
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    ImageIO.write(pixels, "jpg", file);
    byte[] plain = file.toByteArray();
    // a segment of Exif with the tag Orientation only: 6, turned by 90 degrees
    byte[] exif =
        HexFormat.of()
            .parseHex("ffe100224578696600004d4d002a00000008000101120003000000010006000000000000");
    file.reset();
    file.write(plain, 0, 2);
    file.write(exif);
    file.write(plain, 2, plain.length - 2);
    try (FluxImageModel model = small().strength(0).build()) {
      BufferedImage answer =
          ImageIO.read(new ByteArrayInputStream(png(model.edit(image(file), "pear"))));
      assertThat(answer.getWidth()).isEqualTo(64);
      assertThat(answer.getHeight()).isEqualTo(96);
    }
  }

  @Test
  void edit_damagedPicture_isRefusedWithTheReason() throws IOException {
    byte[] whole = Base64.getDecoder().decode(picture(Color.GREEN, 0).base64Data());
    ByteArrayOutputStream cut = new ByteArrayOutputStream();
    cut.write(whole, 0, whole.length / 2);
    Image image = image(cut);
    try (FluxImageModel model = small().build()) {
      assertThatThrownBy(() -> model.edit(image, "pear"))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("the image cannot be used: the picture: expected a whole picture");
    }
  }

  private static byte[] png(Response<Image> answer) {
    return Base64.getDecoder().decode(answer.content().base64Data());
  }

  /** 64 x 64 px of one colour, white from a column on if that is above 0. */
  private static Image picture(Color colour, int whiteFrom) throws IOException {
    BufferedImage pixels = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 64 * 64; i++) {
      boolean white = whiteFrom > 0 && i % 64 >= whiteFrom;
      pixels.setRGB(i % 64, i / 64, (white ? Color.WHITE : colour).getRGB());
    }
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    ImageIO.write(pixels, "png", file);
    return image(file);
  }

  private static Image image(ByteArrayOutputStream file) {
    return Image.builder()
        .base64Data(Base64.getEncoder().encodeToString(file.toByteArray()))
        .build();
  }

  private static SourceImage source(Image image) throws IOException {
    return SourceImage.of(
        ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(image.base64Data()))));
  }

  @Test
  void generate_sharedPool_isNotClosedWithTheModel() throws IOException {
    try (FluxPool pool = FluxPool.load(bundle, CPU)) {
      FluxImageModel.builder().pool(pool).build().close();
      try (FluxImageModel model =
          FluxImageModel.builder()
              .pool(pool)
              .widthPx(64)
              .heightPx(64)
              .preset("default_7x")
              .build()) {
        assertThat(model.generate("red apple").metadata()).containsEntry("sampler", "jit");
      }
    }
  }

  @Test
  void generate_fullQueue_isARateLimit() throws Exception {
    try (FluxPool pool = FluxPool.load(bundle, List.of(CPU), 0)) {
      CountDownLatch started = new CountDownLatch(1);
      CompletableFuture<GeneratedImages> running =
          pool.generateAsync(
              ImageRequest.of("red apple")
                  .withSize(64, 64)
                  .withSampler(new EulerSampler(pool.schedule(), 5_000))
                  .withListener(step -> started.countDown()));
      assertThat(started.await(60, TimeUnit.SECONDS)).isTrue();
      FluxImageModel model = FluxImageModel.builder().pool(pool).build();
      assertThatThrownBy(() -> model.generate("red apple"))
          .isInstanceOf(RateLimitException.class)
          .hasMessageContaining("the queue is full");
      running.cancel(false);
    }
  }

  @Test
  void build_wrongSettings_endInLangChain4jsFailureWithTheReason() {
    assertThatThrownBy(() -> small().widthPx(1000).build())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("width must be a multiple of 16 px, got 1000; try 992 or 1008");
    assertThatThrownBy(() -> small().preset("fastest").build())
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("unknown preset \"fastest\"");
    assertThatThrownBy(() -> small().bundle(bundle.resolve("missing")).build())
        .isInstanceOf(ModelNotFoundException.class)
        .hasMessageContaining("missing: expected a bundle folder, found nothing");
    assertThatThrownBy(() -> FluxImageModel.builder().build())
        .hasMessageContaining("needs a bundle or a pool, got neither");
    try (FluxImageModel model = small().build()) {
      assertThatThrownBy(() -> model.generate("red apple", 0))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageContaining("count must be at least 1, got 0");
    }
  }
}
