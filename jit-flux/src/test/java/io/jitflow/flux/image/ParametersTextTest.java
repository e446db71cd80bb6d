package io.jitflow.flux.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.jit.JitSampler;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import javax.imageio.metadata.IIOMetadataNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.NodeList;

class ParametersTextTest {
  @TempDir Path folder;

  private static ImageRequest request(Sampler sampler) {
    return ImageRequest.of("a red fox,\nin snow")
        .withSize(1024, 768)
        .withSeed(42)
        .withSampler(sampler);
  }

  @Test
  void write_request_isWhatWebInterfacesWrite() {
    Sampler sampler = new EulerSampler(SigmaSchedule.linear(), 20);
    String text =
        ParametersText.write(
            request(sampler).withNegativePrompt("snow", 4.5), "flux1-dev.safetensors");
    assertThat(text)
        .isEqualTo(
            "a red fox,\nin snow\nNegative prompt: snow\nSteps: 20, Sampler: Euler, CFG scale: 4.5,"
                + " Distilled CFG Scale: 3.5, Seed: 42, Size: 1024x768, Model:"
                + " flux1-dev.safetensors, Version: jitflow");
  }

  @Test
  void read_ownText_isTheRequestWithAnotherSchedule() {
    Sampler sampler = new EulerSampler(SigmaSchedule.linear(), 20);
    ImageRequest request = request(sampler).withNegativePrompt("snow, \"ice\"", 4.5);
    ParametersText.Read read =
        ParametersText.read(ParametersText.write(request, "a, b: \"c\" \\ d"));
    assertThat(read.model()).isEqualTo("a, b: \"c\" \\ d");
    assertThat(read.remarks()).isEmpty();
    Sampler found = read.request().sampler().orElseThrow();
    assertThat(found.steps()).isEqualTo(20);
    assertThat(read.request()).isEqualTo(request.withSampler(found));
  }

  @Test
  void read_jit_tellsWhatWasLost() {
    ParametersText.Read read =
        ParametersText.read(ParametersText.write(request(JitSampler.preset7x()), "m"));
    assertThat(read.request().sampler().orElseThrow().steps()).isEqualTo(11);
    assertThat(read.remarks()).singleElement().asString().contains("JiT");
  }

  @Test
  void read_textOfAnotherProgram_isUnderstood() {
    ParametersText.Read read =
        ParametersText.read(
            "photo of a cat <lora:style:0.8>\nSteps: 28, Sampler: DPM++ 2M, Schedule type: Karras,"
                + " CFG scale: 1, Distilled CFG Scale: 2.5, Seed: 1234567890123, Size: 896x1152,"
                + " Model hash: abc, Model: flux1-dev-fp8, Lora hashes: \"style: 1f2e, b: 3\","
                + " Version: f2.0.1");
    ImageRequest request = read.request();
    assertThat(request.prompt()).isEqualTo("photo of a cat <lora:style:0.8>");
    assertThat(request.seed()).hasValue(1234567890123L);
    assertThat(request.guidance()).isEqualTo(2.5);
    assertThat(request.widthPx()).isEqualTo(896);
    assertThat(read.model()).isEqualTo("flux1-dev-fp8");
    assertThat(read.remarks()).singleElement().asString().contains("DPM++ 2M");
  }

  @Test
  void read_valueOfAnyLength_isUnderstood() {
    String pairs = "x\nSteps: 4, Sampler: Euler, Seed: 7, Model: ";
    int length = 100_000;
    assertThat(ParametersText.read(pairs + '"' + "a".repeat(length) + '"').model()).hasSize(length);
    assertThat(ParametersText.read(pairs + '"' + "\\\"".repeat(length) + '"').model())
        .isEqualTo("\"".repeat(length));
    assertThat(ParametersText.read(pairs + '"' + "a".repeat(length)).model()).isNotEmpty();
  }

  @Test
  void read_promptAlone_isThePrompt() {
    assertThat(ParametersText.read("a cat: one, two").request())
        .isEqualTo(ImageRequest.of("a cat: one, two"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"Steps: many", "Size: 100x100", "Seed: -4", "Size: ax64"})
  void read_valueThatCannotBe_isRefused(String pair) {
    assertThatThrownBy(
            () -> ParametersText.read("x\nSampler: Euler, CFG scale: 1, Model: m, " + pair))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"tEXt", "iTXt"})
  void fromPng_fileOfAnotherProgram_isRead(String chunk) throws IOException {
    String text = "a fox\nSteps: 4, Sampler: Euler, CFG scale: 1, Seed: 7, Size: 512x512";
    File file = folder.resolve("other.png").toFile();
    var writer = ImageIO.getImageWritersByFormatName("png").next();
    BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
    var metadata =
        writer.getDefaultImageMetadata(
            javax.imageio.ImageTypeSpecifier.createFromRenderedImage(image), null);
    IIOMetadataNode entry = new IIOMetadataNode(chunk + "Entry");
    entry.setAttribute("keyword", "parameters");
    entry.setAttribute(chunk.equals("tEXt") ? "value" : "text", text);
    entry.setAttribute("compressionFlag", "FALSE");
    entry.setAttribute("compressionMethod", "0");
    entry.setAttribute("languageTag", "");
    entry.setAttribute("translatedKeyword", "");
    IIOMetadataNode texts = new IIOMetadataNode(chunk);
    texts.appendChild(entry);
    IIOMetadataNode root = new IIOMetadataNode("javax_imageio_png_1.0");
    root.appendChild(texts);
    metadata.mergeTree("javax_imageio_png_1.0", root);
    try (var stream = ImageIO.createImageOutputStream(file)) {
      writer.setOutput(stream);
      writer.write(new javax.imageio.IIOImage(image, null, metadata));
    } finally {
      writer.dispose();
    }
    assertThat(ImageRequest.fromPng(file.toPath()).seed()).hasValue(7);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a fox", "ein Füchslein", "狐"})
  void writePng_parameters_areTextIfLatinAndInternationalIfNot(String prompt) throws IOException {
    Path file = folder.resolve("own.png");
    try (var out = java.nio.file.Files.newOutputStream(file)) {
      PngText.write(
          new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB),
          "{}",
          ParametersText.write(ImageRequest.of(prompt), "m"),
          out);
    }
    assertThat(PngText.readParameters(PngFile.of(file)).orElseThrow()).startsWith(prompt + "\n");
    var reader = ImageIO.getImageReadersByFormatName("png").next();
    try (var stream = ImageIO.createImageInputStream(file.toFile())) {
      reader.setInput(stream);
      var tree =
          (org.w3c.dom.Element) reader.getImageMetadata(0).getAsTree("javax_imageio_png_1.0");
      NodeList latin = tree.getElementsByTagName("tEXtEntry");
      assertThat(latin.getLength()).isEqualTo(prompt.equals("狐") ? 0 : 1);
    } finally {
      reader.dispose();
    }
  }
}
