package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelOptionTest {
  @TempDir static Path shared;
  private static Path bundle;

  @TempDir Path folder;

  @BeforeAll
  static void convert() throws IOException {
    bundle = shared.resolve("bundle");
    Path checkpoint = TinyCheckpoint.dev(shared.resolve("checkpoint"));
    assertThat(Console.run("convert", checkpoint, bundle, "--dtype", "f32").exitCode()).isZero();
  }

  private Console generate(String... options) {
    String png = folder.resolve("fox.png").toString();
    List<Object> words = new ArrayList<>(Console.generate(bundle, "64x64", 1, png));
    words.addAll(List.of(options));
    return Console.run(words.toArray());
  }

  @ParameterizedTest
  @ValueSource(strings = {"int8", "bf16"})
  void dtype_otherThanTheBundles_isRefused(String dtype) {
    Console console = generate("--dtype", dtype);
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err())
        .contains("--dtype " + dtype + " is for a checkpoint, found a bundle of F32")
        .contains(bundle.toString(), "leave it out");
    assertThat(folder).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"streamed", "resident", "auto"})
  void lowMemory_besideAnotherPolicy_isRefused(String policy) {
    Console console = generate("--memory", policy, "--low-memory");
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err())
        .contains("--low-memory means --memory sequential, found --memory " + policy + " too");
  }

  @Test
  void options_thatSayTheSame_areTaken() {
    Console console = generate("--dtype", "f32", "--memory", "sequential", "--low-memory");
    assertThat(console.err()).isEmpty();
    assertThat(console.exitCode()).isZero();
    assertThat(generate("--low-memory", "--overwrite").exitCode()).isZero();
  }
}
