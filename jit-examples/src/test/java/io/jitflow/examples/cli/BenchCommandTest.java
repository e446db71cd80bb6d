package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.examples.bench.SamplerBenchmark.Subject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

class BenchCommandTest {
  @TempDir Path folder;

  static Stream<List<String>> wrongUsage() {
    return Stream.of(
        List.of("bench time does not take --model; it takes --repetitions", "time", "-m", "b"),
        List.of("bench memory does not take --memory", "memory", "--memory", "streamed"),
        List.of(
            "bench transformer does not take --repetitions", "transformer", "--repetitions", "3"),
        List.of("bench exact does not take --finals", "exact", "--finals", "20"),
        List.of("bench search does not take --only", "search", "--only", "JiT"),
        List.of("bench device does not take --size", "device", "--random", "--size", "512"),
        List.of("bench policy does not take --repetitions", "policy", "--repetitions", "3"),
        List.of("bench policy does not take --tokens", "policy", "--tokens", "64"),
        List.of("bench passes does not take --depth", "passes", "--depth", "1,1"),
        List.of("--repetitions must be at least 1, got 0", "time", "--repetitions", "0"),
        List.of(
            "bench device knows --memory resident and streamed, got sequential",
            "device",
            "--random",
            "--memory",
            "sequential"),
        List.of(
            "bench device knows --arithmetic float32 and stored, got auto",
            "device",
            "--random",
            "--arithmetic",
            "auto"),
        List.of("--speedup must be from 3 to 14, got 2", "search", "--speedup", "2"),
        List.of(
            "nothing to try for 10x with a first stage that ends at 0.99 or above",
            "search",
            "--speedup",
            "10",
            "--first-end",
            "0.99"),
        List.of(
            "--only matches the name of no sampler, got 'nothing'; there are: Euler, 50 steps;",
            "exact",
            "--only",
            "nothing"),
        List.of("the chart folder does not exist", "exact", "--chart", "nowhere/at/all/c.png"));
  }

  @ParameterizedTest
  @MethodSource("wrongUsage")
  void bench_wrongUsage_oneMessageAndExitCode2(List<String> messageAndWords) {
    Object[] words = Stream.concat(Stream.of("bench"), messageAndWords.stream().skip(1)).toArray();
    Console console = Console.run(words);
    assertThat(console.err())
        .contains(messageAndWords.get(0))
        .contains("Try 'jit bench --help'")
        .doesNotContain("\tat ");
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.out()).isEmpty();
  }

  @Test
  void options_ofAllSubjects_areThoseOfTheCommand() {
    CommandSpec spec =
        Main.commandLine(new Interrupt()).getSubcommands().get("bench").getCommandSpec();
    Set<String> names = new TreeSet<>();
    spec.options().stream().map(OptionSpec::longestName).forEach(names::add);
    names.removeAll(List.of("--help", "--version", "--stacktrace"));
    Set<String> taken = new TreeSet<>();
    Arrays.stream(Subject.values()).map(BenchCommand::options).forEach(taken::addAll);
    assertThat(taken).isEqualTo(names);
  }

  @Test
  void policy_onABundleOfOtherSizes_isRefused() throws IOException {
    Path checkpoint = TinyCheckpoint.dev(folder.resolve("checkpoint"));
    Path bundle = folder.resolve("bundle");
    assertThat(Console.run("convert", checkpoint, bundle, "--dtype", "f32").exitCode()).isZero();
    Console console =
        Console.run(
            "bench",
            "policy",
            "--model",
            bundle,
            "--bundle",
            bundle,
            "--weights",
            "int8",
            "--depth",
            "1,2",
            "--t5-layers",
            "2");
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err())
        .contains("expected 1 + 2 blocks of width 3072, 2 layers of T5, weights I8, found ")
        .contains("weights F32; ask for what it holds, or name another --bundle");
  }

  @Test
  void exact_withAChart_printsRowsAndWritesTheChart() throws IOException {
    Path chart = folder.resolve("chart.png");
    Console console =
        Console.run("bench", "exact", "--grid", 4, "--only", "^Euler, 50? ", "--chart", chart);
    assertThat(console.exitCode()).as(console.err()).isZero();
    assertThat(console.out().lines().filter(line -> line.startsWith("| Euler"))).hasSize(2);
    assertThat(ImageIO.read(chart.toFile())).isNotNull();
    assertThat(folder.toFile().list()).containsExactly("chart.png");
  }
}
