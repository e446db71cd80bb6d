package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.jitflow.core.testing.ChildJvm;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A machine that is too small for a network is told as such, by processes that really are. */
class OutOfMemoryTest {
  private static final int LARGE_VOCABULARY = 1_500_000; // 48 numbers each
  private static final int LEFT_MB = 100;

  @TempDir Path folder;
  private Path checkpoint;

  @BeforeEach
  void copy() throws IOException {
    checkpoint = TinyCheckpoint.dev(folder.resolve("checkpoint"));
  }

  /** A picture of the one bundle, and then one of the other. */
  private List<String> arguments(Path first, Path second) {
    List<String> all = new ArrayList<>();
    all.add(Integer.toString(LEFT_MB));
    all.addAll(Console.generate(first, "64x64", 1, "first.png"));
    all.add("--");
    all.addAll(Console.generate(second, "64x64", 1, "second.png"));
    return all;
  }

  /** In float32 its 288 MB cannot be mapped, in bfloat16 its 144 MB cannot be read. */
  @ParameterizedTest
  @ValueSource(strings = {"f32", "bf16"})
  @EnabledOnOs(OS.LINUX)
  void generate_addressSpaceTooSmallForANetwork_saysHowToNeedLess(String dtype) throws Exception {
    assumeTrue(Files.exists(Path.of("/usr/bin/prlimit")), "prlimit is not installed");
    Path small = folder.resolve("small");
    assertThat(Console.run("convert", checkpoint, small, "--dtype", dtype).exitCode()).isZero();
    enlargeVocabulary(checkpoint.resolve("text_encoder_2"));
    Path large = folder.resolve("large");
    Console convert = Console.run("convert", checkpoint, large, "--dtype", dtype, "--no-checksums");
    assertThat(convert.exitCode()).as(convert.err()).isZero();
    Path out = folder.resolve("out.txt");
    Process child =
        new ProcessBuilder(
                ChildJvm.command(SmallMachine.class, List.of("-Xmx256m"), arguments(small, large)))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile())
            .start();
    assertEnded(child, out);
    String said = Files.readString(out);
    assertThat(said)
        .contains("out of memory while loading ", large.toString(), "--low-memory")
        .doesNotContain("is not a TorchScript file", "\tat ");
    assertThat(child.exitValue()).as(said).isEqualTo(Main.FAILED);
    assertThat(folder.resolve("second.png")).doesNotExist();
  }

  private static void assertEnded(Process child, Path out) throws Exception {
    boolean ended = child.waitFor(2, TimeUnit.MINUTES);
    child.destroyForcibly();
    assertThat(ended).as(Files.readString(out)).isTrue();
  }

  /** The last tensor gets rows of zeros, which take no room on most disks. */
  private static void enlargeVocabulary(Path t5) throws IOException {
    Path file = t5.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    int length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    JsonObject header =
        JsonParser.parseString(new String(bytes, 8, length, StandardCharsets.UTF_8))
            .getAsJsonObject();
    JsonObject table = header.getAsJsonObject("shared.weight");
    JsonArray shape = table.getAsJsonArray("shape");
    long width = shape.get(1).getAsLong();
    JsonArray offsets = table.getAsJsonArray("data_offsets");
    long begin = offsets.get(0).getAsLong();
    long dataBytes = bytes.length - 8L - length;
    assertThat(offsets.get(1).getAsLong()).as("the last tensor's end").isEqualTo(dataBytes);
    long end = begin + LARGE_VOCABULARY * width * Float.BYTES;
    shape.set(0, JsonParser.parseString(Integer.toString(LARGE_VOCABULARY)));
    offsets.set(1, JsonParser.parseString(Long.toString(end)));
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.setLength(0);
      out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(json.length).array());
      out.write(json);
      out.write(bytes, 8 + length, (int) dataBytes);
      out.setLength(8L + json.length + end);
    }
    Path configFile = t5.resolve("config.json");
    JsonObject config = JsonParser.parseString(Files.readString(configFile)).getAsJsonObject();
    config.addProperty("vocab_size", LARGE_VOCABULARY);
    Files.writeString(configFile, config.toString());
  }
}
