package io.jitflow.flux.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.ArgumentsProvider;
import org.junit.jupiter.params.provider.ArgumentsSource;
import org.junit.jupiter.params.support.ParameterDeclarations;
import org.junit.platform.commons.support.ReflectionSupport;

/**
 * A reader of files that come from elsewhere. Whatever is in them, it reads them or says what is
 * wrong in an IOException with a message, and nothing else; it does not end the process.
 *
 * <p>There is one class for each format, each with one target for Jazzer. Usually that gets the
 * fixtures, and what was found before (in a folder {@code src/test/resources/.../CLASSInputs}).
 * With the profile {@code fuzz} Jazzer looks for more, for minutes, in a process for each class.
 * Beside that, seeded damage is tried in every build: the property {@code jit.fuzz.rounds} says how
 * often; a failure names the seed, which makes it again.
 */
abstract class ForeignFile {
  @TempDir static Path scratch;

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

  /** Where the reader expects the bytes. */
  abstract Path file();

  /** Reads the file that has been written. */
  abstract void read() throws IOException;

  /** A file that is whole. */
  abstract byte[] whole() throws IOException;

  /** How many bytes from the start hold what is parsed; most of the damage is there. */
  int head() {
    return 4000;
  }

  /** How often the seeded damage is tried; fewer where a read takes long. */
  int rounds() {
    return ROUNDS;
  }

  /** The target. */
  @ArgumentsSource(Seeds.class)
  @FuzzTest(maxDuration = "2m")
  final void fuzz(byte[] bytes) throws IOException {
    check(bytes);
  }

  /** Where Jazzer starts: the whole file. */
  static final class Seeds implements ArgumentsProvider {
    @Override
    public Stream<? extends Arguments> provideArguments(
        ParameterDeclarations parameters, ExtensionContext context) throws IOException {
      ForeignFile target =
          (ForeignFile) ReflectionSupport.newInstance(context.getRequiredTestClass());
      return Stream.of(Arguments.of(Named.of("the whole file", target.whole())));
    }
  }

  /** Returns whether the bytes were read. */
  final boolean check(byte[] bytes) throws IOException {
    Files.write(file(), bytes);
    try {
      read();
      return true;
    } catch (IOException e) {
      assertThat(e).hasMessageMatching("(?s).+");
      return false;
    }
  }

  @Test
  final void wholeFile_isRead() throws IOException {
    Files.write(file(), whole());
    read();
  }

  @Test
  final void seededDamage_isReadOrRefused() throws IOException {
    byte[] whole = whole();
    int refused = 0;
    for (int seed = 0; seed < rounds(); seed++) {
      try {
        refused += check(damaged(whole, new Random(seed), head())) ? 0 : 1;
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed %d: %s".formatted(seed, e), e);
      }
    }
    Files.write(file(), whole);
    assertThat(refused).as("damage that was noticed").isPositive();
  }

  /** A few changes, mostly within the first {@code head} bytes. */
  static byte[] damaged(byte[] whole, Random random, int head) {
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
}
