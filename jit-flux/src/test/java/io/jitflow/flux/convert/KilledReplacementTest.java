package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.core.testing.ChildJvm;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionOptions.ExistingBundle;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Processes that replace a bundle are killed at random moments ({@code jit.kills} of them): the old
 * bundle or the new one is there, whole, or comes back at the next start, which tells of it.
 */
class KilledReplacementTest {
  private static final int KILLS = Integer.getInteger("jit.kills", 3);
  private static final String RECOVERED = "is back in its place, its replacement had been";
  private static final String REMOVED = "left by a conversion that was killed";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"at-once", "two-steps"})
  void replacement_killedAtAnyMoment_leavesTheOldOrTheNew(String how) throws Exception {
    if (how.equals("at-once")) {
      FolderExchange.assumePossible(folder);
    }
    Path target = folder.resolve("bundle");
    Path log = folder.resolve("log");
    ReplacingProcess.write(Files.createDirectory(target), 0);
    Random random = new Random(9);
    int last = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      last = runAndKill(target, how, last + 1, random.nextInt(150), log);
      boolean missing = Files.notExists(target);
      assertThat(missing && how.equals("at-once")).as("no bundle after kill " + kill).isFalse();
      long leftovers = leftovers();
      // what the next process begins with
      int before = missing ? -1 : generation(target);
      String told = recover(target);
      int found = generation(target);
      assertThat(found).isBetween(last, last + 1);
      if (!missing) {
        assertThat(found).isEqualTo(before);
      }
      assertThat(told.contains(RECOVERED)).as(told).isEqualTo(missing);
      assertThat(told.contains(REMOVED)).as(told).isEqualTo(leftovers > 0);
      assertThat(leftovers()).isZero();
      last = found;
    }
    assertThat(last).as("replacements").isPositive();
  }

  /** Returns the last generation that the process told of. */
  private static int runAndKill(Path target, String how, int first, int milliseconds, Path log)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile(log.getParent(), "out", "");
    Process child =
        new ProcessBuilder(
                ChildJvm.command(
                    ReplacingProcess.class,
                    List.of("-Xmx64m", "-XX:TieredStopAtLevel=1"),
                    List.of(target.toString(), how, Integer.toString(first))))
            .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .redirectOutput(out.toFile())
            .start();
    while (Files.size(out) == 0 && child.isAlive()) {
      TimeUnit.MILLISECONDS.sleep(1);
    }
    TimeUnit.MILLISECONDS.sleep(milliseconds);
    assertThat(child.isAlive()).as(() -> "the process ended early: " + read(log)).isTrue();
    child.destroyForcibly().waitFor();
    String told = Files.readString(out);
    String whole = told.substring(0, told.lastIndexOf('\n') + 1); // it may die while it tells
    return whole.lines().mapToInt(Integer::parseInt).max().orElse(first);
  }

  /** Of one whole bundle: every file says the same. */
  private static int generation(Path target) throws IOException {
    String manifest = Files.readString(target.resolve(FluxBundle.MANIFEST));
    for (int i = 1; i < ReplacingProcess.FILES; i++) {
      assertThat(target.resolve("part-" + i)).hasContent(manifest);
    }
    return Integer.parseInt(manifest.substring("generation ".length()));
  }

  /** Begins a replacement and gives it up; returns the warnings. */
  private static String recover(Path target) throws IOException {
    PrintStream before = System.err;
    ByteArrayOutputStream warnings = new ByteArrayOutputStream();
    System.setErr(new PrintStream(warnings, true, StandardCharsets.UTF_8));
    try (StagedFolder staged = StagedFolder.create(target, ExistingBundle.REPLACE)) {
      assertThat(staged.path()).isEmptyDirectory();
    } finally {
      System.setErr(before);
    }
    return warnings.toString(StandardCharsets.UTF_8);
  }

  private long leftovers() throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries
          .filter(entry -> entry.getFileName().toString().matches("\\.bundle\\.(old|partial)-.*"))
          .count();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
