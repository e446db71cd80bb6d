package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.jitflow.core.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C and SIGTERM while a process of its own is in the middle of forward passes. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class SignalTest {
  /** A second or two when the machine is idle; the program itself gives up after 30. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private static final Duration START = Duration.ofMinutes(2);
  private static final int TERMINATED = 128 + 15;
  private static final long INTERRUPT_BIT = 1 << 1; // of the second signal

  @TempDir static Path shared;
  private static Path bundle;
  private static Path mini;

  @TempDir Path folder;
  private Child started;

  @BeforeAll
  static void convert() throws IOException {
    bundle = shared.resolve("tiny");
    Path checkpoint = TinyCheckpoint.dev(shared.resolve("checkpoint"));
    assertThat(Console.run("convert", checkpoint, bundle, "--dtype", "f32").exitCode()).isZero();
    mini = shared.resolve("mini");
    assertThat(Console.run("convert", fluxMini(), mini, "--dtype", "f32").exitCode()).isZero();
  }

  /** Whatever a test ended with. */
  @AfterEach
  void destroy() throws InterruptedException {
    if (started != null) {
      started.process.destroyForcibly().waitFor();
    }
  }

  private static Path fluxMini() {
    return Path.of(System.getProperty("jit.fixtures"), "flux-mini");
  }

  @Test
  void generate_interrupted_cleansUp() throws Exception {
    Child child = generate();
    child.awaitText("denoise");
    assertThat(child.end("INT")).isEqualTo(Main.CANCELLED);
    assertThat(child.text()).contains("cancelled");
    assertThat(child.files()).containsExactly("out.txt");
  }

  @Test
  void generate_terminated_cleansUp() throws Exception {
    Child child = generate();
    child.awaitText("denoise");
    assertThat(child.end("TERM")).isEqualTo(TERMINATED);
    assertThat(child.text()).contains("cancelled");
    assertThat(child.files()).containsExactly("out.txt");
  }

  @Test
  void bench_interrupted_ends() throws Exception {
    Child child = start("bench", "time", "--repetitions", "100000");
    child.awaitText("\n"); // the head of the table
    assertThat(child.end("INT")).isEqualTo(Main.CANCELLED);
    assertThat(child.files()).containsExactly("out.txt");
  }

  @Test
  void study_terminated_ends() throws Exception {
    Child child =
        start(
            "study",
            "--model",
            mini.toString(),
            "--names",
            fluxMini().resolve("names.json").toString(),
            "--references",
            fluxMini().resolve("references.png").toString());
    child.awaitText("prompts");
    assertThat(child.end("TERM")).isIn(Main.CANCELLED, TERMINATED);
    assertThat(child.files()).containsExactly("out.txt");
  }

  private Child generate() throws IOException {
    return start(Console.generate(bundle, "512x512", 1000, "fox.png"));
  }

  private Child start(String... arguments) throws IOException {
    return start(List.of(arguments));
  }

  private Child start(List<String> arguments) throws IOException {
    started = new Child(folder, arguments);
    return started;
  }

  /** A command in a folder of its own. */
  private static final class Child {
    private final Path folder;
    private final Path out;
    private final Process process;

    Child(Path folder, List<String> arguments) throws IOException {
      this.folder = folder;
      this.out = folder.resolve("out.txt");
      List<String> command =
          new ArrayList<>(List.of("/bin/sh", "-c", "ulimit -c unlimited; exec \"$@\"", "sh"));
      command.addAll(ChildJvm.command(Main.class, List.of("-Xmx512m"), arguments));
      process =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(out.toFile())
              .start();
    }

    String text() throws IOException {
      return Files.readString(out);
    }

    /** Waits until it is busy. */
    void awaitText(String wanted) throws IOException, InterruptedException {
      long end = System.nanoTime() + START.toNanos();
      while (!text().contains(wanted)) {
        if (!process.isAlive() || System.nanoTime() > end) {
          process.destroyForcibly();
          throw new AssertionError("expected '" + wanted + "', the program said: " + text());
        }
        TimeUnit.MILLISECONDS.sleep(50);
      }
    }

    /** Returns the exit code after a signal. */
    int end(String signal) throws IOException, InterruptedException {
      if (signal.equals("INT")) {
        assumeInterruptible();
      }
      long start = System.nanoTime();
      String kill = "kill -" + signal + " " + process.pid(); // every shell has it built in
      assertThat(new ProcessBuilder("/bin/sh", "-c", kill).start().waitFor()).isZero();
      boolean ended = process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
      if (!ended) {
        process.destroyForcibly().waitFor();
      }
      System.out.printf("%s: ended after %d ms%n", signal, (System.nanoTime() - start) / 1_000_000);
      assertThat(ended).as(text()).isTrue();
      return process.exitValue();
    }

    /** What is started in the background of a shell ignores Ctrl-C, and so do its children. */
    private void assumeInterruptible() throws IOException {
      Path status = Path.of("/proc/" + process.pid() + "/status");
      if (Files.exists(status)) {
        String ignored =
            Files.readString(status)
                .lines()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElseThrow()
                .replaceAll("SigIgn:\\s*", "");
        boolean ignores = (Long.parseUnsignedLong(ignored, 16) & INTERRUPT_BIT) != 0;
        if (ignores) {
          process.destroyForcibly();
        }
        assumeFalse(ignores, "the tests were started so that Ctrl-C is ignored");
      }
    }

    /** Neither a core, nor the report of a crash, nor half a picture. */
    List<String> files() throws IOException {
      try (Stream<Path> files = Files.list(folder)) {
        return files.map(file -> file.getFileName().toString()).sorted().toList();
      }
    }
  }
}
