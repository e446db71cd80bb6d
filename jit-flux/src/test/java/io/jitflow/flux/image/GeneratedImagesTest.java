package io.jitflow.flux.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.ndarray.NDArray;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.file.BrokenFileException;
import io.jitflow.flux.image.GeneratedImages.PhaseTimings;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GeneratedImagesTest {

  private static final PhaseTimings TIMINGS =
      new PhaseTimings(
          Duration.ofMillis(1),
          Duration.ofMillis(20),
          Duration.ofMillis(5),
          Duration.ofSeconds(3),
          Duration.ofMillis(400));
  private static final ImageRequest REQUEST =
      ImageRequest.of("a red fox").withSize(32, 16).withSeed(41).withSampler(JitSampler.preset4x());

  @TempDir Path folder;

  @Test
  void save_oneImage_pixelsAndRequestComeBack() throws IOException {
    Path file = folder.resolve("fox.png");
    BufferedImage image = picture(1);
    assertThat(generated(REQUEST, image).save(file)).containsExactly(file);

    BufferedImage read = ImageIO.read(file.toFile());
    assertThat(rgb(read)).containsExactly(rgb(image));
    assertThat(ImageOrigin.read(file)).isEqualTo(new ImageOrigin(REQUEST, "tiny", List.of()));
    assertThat(ImageRequest.fromPng(file)).isEqualTo(REQUEST);
    assertThat(entries()).containsExactly("fox.png");
  }

  @Test
  void toPng_eachImage_theFileThatSaveWrites() throws IOException {
    GeneratedImages images = generated(REQUEST.withCount(2), picture(1), picture(2));
    List<Path> files = images.save(folder.resolve("fox.png"));
    for (int i = 0; i < 2; i++) {
      assertThat(images.toPng(i)).isEqualTo(Files.readAllBytes(files.get(i)));
    }
  }

  @Test
  void fromPng_bytes_requestComesBackAsFromAFile() throws IOException {
    byte[] png = generated(REQUEST, picture(1)).toPng(0);
    assertThat(ImageRequest.fromPng(png)).isEqualTo(REQUEST);
    assertThat(ImageOrigin.read(png)).isEqualTo(new ImageOrigin(REQUEST, "tiny", List.of()));
  }

  @Test
  void fromPng_bytesWithoutARequest_saysSo() throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    ImageIO.write(picture(1), "png", plain);
    assertThatThrownBy(() -> ImageRequest.fromPng(plain.toByteArray()))
        .isInstanceOf(BrokenFileException.class)
        .hasMessageContaining("the picture: no request in this PNG file");
    byte[] png = generated(REQUEST, picture(1)).toPng(0);
    for (int length : new int[] {0, 7}) {
      assertThatThrownBy(() -> ImageRequest.fromPng(Arrays.copyOf(png, length)))
          .hasMessage("the picture: no PNG file");
    }
    assertThatThrownBy(() -> ImageRequest.fromPng(Arrays.copyOf(png, 100)))
        .isInstanceOf(BrokenFileException.class)
        .hasMessageContaining("the picture: damaged PNG file");
  }

  @Test
  void writePng_ontoAStream_leavesItOpen() throws IOException {
    GeneratedImages images = generated(REQUEST, picture(1));
    boolean[] closed = new boolean[1];
    var out =
        new ByteArrayOutputStream() {
          @Override
          public void close() {
            closed[0] = true;
          }
        };
    images.writePng(0, out);
    assertThat(closed[0]).isFalse();
    assertThat(out.toByteArray()).isEqualTo(images.toPng(0));
  }

  @Test
  void bufferedImage_foreignImage_samePixels() {
    Image foreign =
        (Image)
            Proxy.newProxyInstance(
                Image.class.getClassLoader(),
                new Class<?>[] {Image.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("save")) {
                    ImageIO.write(picture(3), "png", (OutputStream) arguments[0]);
                  }
                  return null; // wraps no image of Java
                });
    GeneratedImages images =
        new GeneratedImages(List.of(foreign), REQUEST, "tiny", TIMINGS, List.of());
    assertThat(rgb(images.bufferedImage(0))).containsExactly(rgb(picture(3)));
  }

  @Test
  void save_severalImages_eachWithItsOwnSeed() throws IOException {
    Path file = folder.resolve("fox.PNG");
    List<Path> files = generated(REQUEST.withCount(2), picture(1), picture(2)).save(file);
    assertThat(files).containsExactly(folder.resolve("fox-0.png"), folder.resolve("fox-1.png"));
    assertThat(ImageRequest.fromPng(files.get(0))).isEqualTo(REQUEST);
    assertThat(ImageRequest.fromPng(files.get(1))).isEqualTo(REQUEST.withSeed(42));
    assertThat(rgb(ImageIO.read(files.get(1).toFile()))).containsExactly(rgb(picture(2)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " leading and trailing ",
        "Füchsin \uD83E\uDD8A 狐狸 \u202E\u0301",
        "line\nbreak\r\n\ttab \u2028",
        "<xml attr=\"&amp;\"> ]]> \\ \u0000 \u0001 \uFFFF",
        "unpaired \uD83D surrogate"
      })
  void save_anyPrompt_comesBack(String prompt) throws IOException {
    Path file = folder.resolve("fox.png");
    ImageRequest request = REQUEST.withPrompt(prompt).withNegativePrompt(prompt, 2);
    generated(request, picture(1)).save(file);
    assertThat(ImageRequest.fromPng(file).prompt()).isEqualTo(prompt);
    assertThat(ImageRequest.fromPng(file)).isEqualTo(request);
  }

  @Test
  void save_longPrompt_comesBack() throws IOException {
    Path file = folder.resolve("fox.png");
    ImageRequest request = REQUEST.withPrompt("ein Fuchs, ".repeat(1000));
    generated(request, picture(1)).save(file);
    assertThat(ImageRequest.fromPng(file)).isEqualTo(request);
  }

  @Test
  void save_existingFile_replaced() throws IOException {
    Path file = folder.resolve("fox.png");
    Files.writeString(file, "something else");
    generated(REQUEST, picture(1)).save(file);
    assertThat(ImageRequest.fromPng(file)).isEqualTo(REQUEST);
    assertThat(entries()).containsExactly("fox.png");
  }

  @Test
  void save_noFolder_namesIt() {
    Path file = folder.resolve("missing").resolve("fox.png");
    assertThatThrownBy(() -> generated(REQUEST, picture(1)).save(file))
        .isInstanceOf(NotDirectoryException.class)
        .hasMessageContaining(folder.resolve("missing").toString())
        .hasMessageContaining("expected an existing folder");
  }

  @Test
  void save_ontoAFolder_refused() throws IOException {
    Path file = Files.createDirectory(folder.resolve("fox.png"));
    assertThatThrownBy(() -> generated(REQUEST, picture(1)).save(file))
        .isInstanceOf(FileAlreadyExistsException.class)
        .hasMessageContaining("is a folder");
    assertThat(entries()).containsExactly("fox.png");
  }

  @ParameterizedTest
  @ValueSource(strings = {"fox.jpg", "fox", ".png", "png"})
  void files_notPng_refused(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> GeneratedImages.files(Path.of(name), 1))
        .withMessageContaining("must end in .png, got '" + name + "'");
  }

  @Test
  void constructor_wrongNumberOfImages_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> generated(REQUEST.withCount(2), picture(1)))
        .withMessage("expected 2 images as requested, got 1");
  }

  @Test
  void total_sumOfPhases() {
    assertThat(TIMINGS.total()).isEqualTo(Duration.ofMillis(3426));
  }

  @Test
  void fromPng_foreignFile_saysThatItHasNoRequest() throws IOException {
    Path file = folder.resolve("photo.png");
    ImageIO.write(picture(1), "png", file.toFile());
    assertThatThrownBy(() -> ImageRequest.fromPng(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("no request in this PNG file");
  }

  @Test
  void fromPng_noFile_namesIt() {
    Path file = folder.resolve("nothing.png");
    assertThatThrownBy(() -> ImageRequest.fromPng(file))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining(file.toString());
    assertThatThrownBy(() -> ImageRequest.fromPng(folder)).isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void fromPng_otherFormat_saysNoPng() throws IOException {
    Path file = folder.resolve("fox.png");
    ImageIO.write(picture(1), "bmp", file.toFile());
    assertThatThrownBy(() -> ImageRequest.fromPng(file))
        .isInstanceOf(IOException.class)
        .hasMessage(file + ": no PNG file");
    Files.write(file, new byte[0]);
    assertThatThrownBy(() -> ImageRequest.fromPng(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(file + ": ");
  }

  @Test
  void fromPng_damagedRequest_saysWhatIsWrong() throws IOException {
    Path file = folder.resolve("fox.png");
    try (var out = Files.newOutputStream(file)) {
      PngText.write(picture(1), "{\"format\":1,\"prompt\":7}", "parameters", out);
    }
    assertThatThrownBy(() -> ImageRequest.fromPng(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the request in this PNG file is damaged: prompt: expected a text");
    try (var out = Files.newOutputStream(file)) {
      PngText.write(picture(1), "[[[", "parameters", out);
    }
    assertThatThrownBy(() -> ImageRequest.fromPng(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("damaged");
  }

  @Test
  void read_samplerOfOnesOwn_theRestComesBackAndARemark() throws IOException {
    Sampler own =
        new Sampler() {
          @Override
          public NDArray sample(VelocityModel model, SamplingRequest request) {
            return request.noise();
          }

          @Override
          public int steps() {
            return 3;
          }
        };
    Path file = folder.resolve("fox.png");
    generated(REQUEST.withSampler(own), picture(1)).save(file);
    ImageOrigin origin = ImageOrigin.read(file);
    assertThat(origin.request())
        .isEqualTo(ImageRequest.of("a red fox").withSize(32, 16).withSeed(41));
    assertThat(origin.remarks())
        .singleElement()
        .asString()
        .contains(own.getClass().getName(), "(3 steps)", "cannot bring back");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"format\":1|\"format\":2|format 2 is unknown here",
        "\"kind\":\"jit\"|\"kind\":\"jit\",\"order\":2|sampler.order is unknown here",
        "\"count\":1|\"count\":1,\"lora\":[]|lora is unknown here"
      })
  void read_laterVersion_saysSo(String from, String to, String unknown) throws IOException {
    Path file = folder.resolve("fox.png");
    String text = new ImageOrigin(REQUEST, "tiny", List.of()).toJson();
    assertThat(text).contains(from);
    try (var out = Files.newOutputStream(file)) {
      PngText.write(picture(1), text.replace(from, to), "parameters", out);
    }
    assertThatThrownBy(() -> ImageOrigin.read(file))
        .isInstanceOf(BrokenFileException.class)
        .hasMessageContaining("written by a later version (" + unknown)
        .hasMessageNotContaining("damaged");
  }

  @Test
  void fromPng_truncatedAnywhere_requestOrIoException() throws IOException {
    Path file = folder.resolve("fox.png");
    generated(REQUEST, picture(1)).save(file);
    byte[] whole = Files.readAllBytes(file);
    int failures = 0;
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      try {
        assertThat(ImageRequest.fromPng(file)).isEqualTo(REQUEST);
      } catch (IOException e) {
        assertThat(e).hasMessageStartingWith(file.toString());
        failures++;
      }
    }
    assertThat(failures).isGreaterThan(500); // the request alone is longer than that
  }

  @Test
  void fromPng_flippedBytes_requestOrIoException() throws IOException {
    Path file = folder.resolve("fox.png");
    generated(REQUEST, picture(1)).save(file);
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(7);
    for (int i = 0; i < 300; i++) {
      byte[] damaged = whole.clone();
      damaged[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(7));
      Files.write(file, damaged);
      try {
        ImageRequest.fromPng(file);
      } catch (IOException e) {
        assertThat(e).hasMessageContaining(file.toString());
      }
    }
  }

  private static GeneratedImages generated(ImageRequest request, BufferedImage... images) {
    List<Image> wrapped =
        Stream.of(images).map(image -> ImageFactory.getInstance().fromImage(image)).toList();
    return new GeneratedImages(wrapped, request, "tiny", TIMINGS, List.of());
  }

  private static BufferedImage picture(int seed) {
    BufferedImage image = new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB);
    Random random = new Random(seed);
    for (int y = 0; y < 16; y++) {
      for (int x = 0; x < 32; x++) {
        image.setRGB(x, y, random.nextInt());
      }
    }
    return image;
  }

  private static int[] rgb(BufferedImage image) {
    return image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
  }

  private List<String> entries() throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }
}
