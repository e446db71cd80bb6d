package io.jitflow.flux.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.TinyBundle;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.ReadProgress;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.program.MappedArchive;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A network of a bundle: {@code .pt}. Whatever is changed is seen before libtorch sees the file,
 * and the reader that maps its weights survives it even where nobody looks.
 */
class NetworkFileFuzzTest extends ForeignFile {
  private static Path bundle;
  private static FluxBundle description;
  private static byte[] seed;

  @BeforeAll
  static void convert() throws IOException {
    bundle = TinyBundle.dev(scratch);
    description = FluxBundle.read(bundle);
    seed = Files.readAllBytes(bundle.resolve(FluxNetwork.TEXT_ENCODER.fileName()));
  }

  @Override
  Path file() {
    return bundle.resolve(FluxNetwork.TEXT_ENCODER.fileName());
  }

  @Override
  void read() throws IOException {
    byte[] bytes = Files.readAllBytes(file());
    Optional<MappedArchive> mapped =
        MappedArchive.map(file(), NetworkProgram.of(description.textEncoder()), DType.F32);
    if (mapped.isPresent()) {
      mapped.get().close();
    }
    boolean passes = description.verify(Verification.FAST, ReadProgress.NONE);
    if (passes && !Arrays.equals(bytes, seed)) {
      throw new AssertionError("changed bytes passed");
    }
  }

  @Override
  byte[] whole() throws IOException {
    return seed.clone();
  }

  @Override
  int head() {
    return seed.length;
  }

  @Override
  int rounds() {
    return super.rounds() / 10;
  }

  /** Of every network, whatever is changed. */
  @Test
  void everyNetwork_seededDamage_isRefused() throws IOException {
    for (FluxNetwork network : FluxNetwork.values()) {
      Path file = description.file(network);
      byte[] whole = Files.readAllBytes(file);
      for (int seed = 0; seed < rounds(); seed++) {
        byte[] changed = damaged(whole, new Random(seed), whole.length);
        if (Arrays.equals(changed, whole)) {
          continue;
        }
        Files.write(file, changed);
        assertThatThrownBy(() -> description.verify(Verification.FAST, ReadProgress.NONE))
            .as("%s, seed %d", file, seed)
            .isInstanceOf(IOException.class)
            .hasMessageContaining(file.toString());
      }
      Files.write(file, whole);
    }
    assertThat(description.verify(Verification.FAST, ReadProgress.NONE)).isTrue();
  }
}
