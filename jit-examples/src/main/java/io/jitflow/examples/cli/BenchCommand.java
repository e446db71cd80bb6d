package io.jitflow.examples.cli;

import io.jitflow.core.token.TokenGrid;
import io.jitflow.examples.bench.ExactBenchmark;
import io.jitflow.examples.bench.NamedSampler;
import io.jitflow.examples.bench.SamplerBenchmark;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jit bench}: what the JiT sampler itself costs. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measure what the JiT sampler costs beside the model, with the preset default_7x at 1,024 to"
          + " 65,536 tokens of 64 channels. Prints a Markdown table.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  jit bench time --repetitions 20",
      "  jit bench transformer --model dev-bundle",
      "  jit bench exact --grid 20"
    })
final class BenchCommand implements Callable<Integer> {

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SUBJECT",
      description =
          "time (of each kind of step), memory (peak beyond noise and result), transformer (each"
              + " step beside that of the network of a bundle) or exact (quality in worlds whose"
              + " pictures are known exactly).")
  private SamplerBenchmark.Subject subject;

  @Option(
      names = "--grid",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "Rows and columns of the worlds, for exact; an even number. Default: ${DEFAULT-VALUE}.")
  private int side;

  @Option(
      names = "--only",
      paramLabel = "REGEX",
      defaultValue = ".*",
      description = "Only samplers whose name matches, for exact.")
  private Pattern only;

  @Option(
      names = "--chart",
      paramLabel = "PNG",
      description = "Where to put the chart of the world of slope 2.5, for exact.")
  private Path chart;

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "Measured runs per token count, for time and memory. Default: ${DEFAULT-VALUE}.")
  private int repetitions;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FOLDER",
      description = "A bundle, for transformer.")
  private Path model;

  @Override
  public Integer call() throws IOException {
    main.interrupt().leavesNothing();
    if (subject == SamplerBenchmark.Subject.TRANSFORMER) {
      if (model == null) {
        throw new ParameterException(spec.commandLine(), "bench transformer needs a --model");
      }
      SamplerBenchmark.transformer(System.out, model);
      return 0;
    }
    if (subject == SamplerBenchmark.Subject.EXACT) {
      exact();
      return 0;
    }
    if (repetitions < 1) {
      throw new ParameterException(
          spec.commandLine(), "--repetitions must be at least 1, got " + repetitions);
    }
    SamplerBenchmark.run(System.out, subject, repetitions);
    return 0;
  }

  private void exact() throws IOException {
    if (side < 4 || side > 64 || side % 2 != 0) {
      throw new ParameterException(
          spec.commandLine(), "--grid must be an even number from 4 to 64, got " + side);
    }
    List<NamedSampler> samplers =
        NamedSampler.all(ExactBenchmark.STANDARD).stream()
            .filter(named -> only.matcher(named.name()).find())
            .toList();
    BufferedImage picture =
        ExactBenchmark.run(spec.commandLine().getOut(), new TokenGrid(side, side), samplers);
    if (chart != null) {
      ImageIO.write(picture, "png", chart.toFile());
    }
  }
}
