package io.jitflow.flux.fuzz;

import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.convert.TinyCheckpoint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;

/** The configurations of a download, one after the other with a NUL between them. */
class ConfigurationFuzzTest extends ForeignFile {
  private static final List<String> CONFIGURATIONS =
      List.of(
          "model_index.json",
          "transformer/config.json",
          "vae/config.json",
          "text_encoder/config.json",
          "text_encoder_2/config.json",
          "scheduler/scheduler_config.json",
          "tokenizer/tokenizer_config.json",
          "tokenizer_2/tokenizer_config.json");

  private static Path checkpoint;
  private static byte[] together;

  @BeforeAll
  static void copyCheckpoint() throws IOException {
    checkpoint = TinyCheckpoint.diffusers(scratch.resolve("dev"), "dev");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String name : CONFIGURATIONS) {
      out.writeBytes(Files.readAllBytes(checkpoint.resolve(name)));
      out.write(0);
    }
    together = out.toByteArray();
  }

  @Override
  Path file() {
    return scratch.resolve("configurations");
  }

  @Override
  void read() throws IOException {
    String[] texts = Files.readString(file(), StandardCharsets.ISO_8859_1).split("\0", -1);
    for (int i = 0; i < CONFIGURATIONS.size(); i++) {
      String text = i < texts.length ? texts[i] : "";
      Files.writeString(
          checkpoint.resolve(CONFIGURATIONS.get(i)), text, StandardCharsets.ISO_8859_1);
    }
    FluxConverter.plan(FluxCheckpoint.ofDirectory(checkpoint), ConversionOptions.defaults());
  }

  @Override
  byte[] whole() {
    return together.clone();
  }

  @Override
  int head() {
    return together.length;
  }
}
