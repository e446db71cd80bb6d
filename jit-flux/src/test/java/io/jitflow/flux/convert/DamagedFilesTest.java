package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.modality.cv.ImageFactory;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.ReadProgress;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.GeneratedImages.PhaseTimings;
import io.jitflow.flux.image.ImageOrigin;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.safetensors.SafetensorsFile;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every reader of foreign bytes, given the fixtures with seeded damage: it reads them or says what
 * is wrong in an IOException, and nothing else. The property {@code jit.fuzz.rounds} says how
 * often; a failure names the seed, which makes it again. Tokenizers have a test of their own, in a
 * process of their own.
 */
class DamagedFilesTest {
  private static final int ROUNDS = Integer.getInteger("jit.fuzz.rounds", 300);
  private static final String[] TOKENS = {
    "null",
    "-1",
    "0",
    "1e999",
    "9223372036854775808",
    "4294967296",
    "1024.9",
    "\"\"",
    "[]",
    "{}",
    "[[[[",
    "\\ud800",
    "\u0000",
    "true",
    "NaN",
    "\"\\\"",
    "../../..",
    ":",
    ","
  };

  @TempDir static Path scratch;
  private static Path checkpoint;
  private static Path bundle;

  /** Reads a file; the test is about what it throws. */
  @FunctionalInterface
  private interface Reader {
    void read() throws IOException;
  }

  @BeforeAll
  static void prepare() throws IOException {
    checkpoint = TinyCheckpoint.diffusers(scratch.resolve("dev"), "dev");
    bundle = scratch.resolve("bundle");
    FluxConverter.convert(
        FluxCheckpoint.ofDirectory(checkpoint),
        bundle,
        ConversionOptions.defaults().withDtype(DType.F32),
        ConversionListener.NONE);
  }

  private static void damage(Path file, int text, Reader reader) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    int read = 0;
    try {
      for (int seed = 0; seed < ROUNDS; seed++) {
        Files.write(file, damaged(whole, new Random(seed), text));
        try {
          reader.read();
          read++;
        } catch (IOException e) {
          assertThat(e).as("%s, seed %d", file, seed).hasMessageMatching("(?s).+");
        } catch (RuntimeException | Error e) {
          throw new AssertionError("%s, seed %d: %s".formatted(file, seed, e), e);
        }
      }
    } finally {
      Files.write(file, whole);
    }
    assertThat(read).as("damage of %s that was noticed", file).isLessThan(ROUNDS);
  }

  /** Mostly within the first {@code head} bytes, which hold what is parsed. */
  private static byte[] damaged(byte[] whole, Random random, int head) {
    byte[] bytes = whole.clone();
    int changes = 1 + random.nextInt(4);
    for (int i = 0; i < changes; i++) {
      int limit = random.nextInt(8) == 0 ? bytes.length : Math.min(head, bytes.length);
      int at = random.nextInt(Math.max(1, limit));
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes = Arrays.copyOf(bytes, at + 1);
        case 3 -> {
          byte[] token = TOKENS[random.nextInt(TOKENS.length)].getBytes(StandardCharsets.UTF_8);
          byte[] longer = new byte[bytes.length + token.length];
          System.arraycopy(bytes, 0, longer, 0, at);
          System.arraycopy(token, 0, longer, at, token.length);
          System.arraycopy(bytes, at, longer, at + token.length, bytes.length - at);
          bytes = longer;
        }
        default -> {
          int length = Math.min(random.nextInt(16), bytes.length - at);
          int from = random.nextInt(bytes.length - length + 1);
          System.arraycopy(bytes, from, bytes, at, length);
        }
      }
    }
    return bytes;
  }

  @Test
  void safetensors() throws IOException {
    Path file = scratch.resolve("one.safetensors");
    Files.copy(TinyCheckpoint.parity("flux-tiny-vae/tiny/bfl-ae.safetensors"), file);
    damage(
        file,
        4000,
        () -> {
          try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            assertThat(opened.path()).isEqualTo(file);
          }
        });
  }

  @Test
  void shardIndex() throws IOException {
    Path folder = Files.createDirectory(scratch.resolve("sharded"));
    Files.copy(
        TinyCheckpoint.parity("flux-tiny-vae/tiny/bfl-ae.safetensors"),
        folder.resolve("model-00001-of-00001.safetensors"));
    StringBuilder map = new StringBuilder();
    try (SafetensorsFile file =
        SafetensorsFile.open(folder.resolve("model-00001-of-00001.safetensors"))) {
      for (String name : file.tensors().keySet()) {
        map.append(map.isEmpty() ? "" : ",\n").append("    \"").append(name);
        map.append("\": \"model-00001-of-00001.safetensors\"");
      }
    }
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(index, "{\"metadata\": {}, \"weight_map\": {\n" + map + "}}");
    damage(index, 2000, () -> TensorFiles.open(folder).close());
  }

  @Test
  void configurations() throws IOException {
    for (String config :
        List.of(
            "transformer/config.json",
            "vae/config.json",
            "text_encoder/config.json",
            "text_encoder_2/config.json",
            "scheduler/scheduler_config.json",
            "tokenizer/tokenizer_config.json")) {
      damage(
          checkpoint.resolve(config),
          4000,
          () ->
              FluxConverter.plan(
                  FluxCheckpoint.ofDirectory(checkpoint), ConversionOptions.defaults()));
    }
  }

  @Test
  void manifest() throws IOException {
    damage(bundle.resolve(FluxBundle.MANIFEST), 4000, () -> FluxBundle.read(bundle));
  }

  @Test
  void requestInAPng() throws IOException {
    Path png = scratch.resolve("fox.png");
    BufferedImage picture = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
    ImageRequest request = ImageRequest.of("a red fox").withSize(16, 16).withSeed(7);
    new GeneratedImages(
            List.of(ImageFactory.getInstance().fromImage(picture)),
            request,
            "model",
            new PhaseTimings(
                Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO),
            List.of())
        .save(png);
    damage(png, 1000, () -> ImageOrigin.read(png));
  }

  /** Whatever is changed in a network's file is seen before libtorch sees the file. */
  @Test
  void networks() throws IOException {
    FluxBundle description = FluxBundle.read(bundle);
    for (FluxNetwork network : FluxNetwork.values()) {
      Path file = description.file(network);
      byte[] whole = Files.readAllBytes(file);
      for (int seed = 0; seed < Math.min(ROUNDS, 100); seed++) {
        byte[] changed = damaged(whole, new Random(seed), whole.length);
        if (Arrays.equals(changed, whole)) {
          continue;
        }
        Files.write(file, changed);
        int current = seed;
        assertThatThrownBy(
                () -> {
                  FluxBundle.read(bundle);
                  description.verify(Verification.FAST, ReadProgress.NONE);
                })
            .as("%s, seed %d", file, current)
            .isInstanceOf(IOException.class)
            .hasMessageContaining(file.toString());
      }
      Files.write(file, whole);
    }
    assertThat(description.verify(Verification.FAST, ReadProgress.NONE)).isTrue();
  }
}
