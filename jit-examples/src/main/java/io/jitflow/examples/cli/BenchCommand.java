package io.jitflow.examples.cli;

import io.jitflow.examples.bench.SamplerBenchmark;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
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
      "  jit bench transformer --model dev-bundle"
    })
final class BenchCommand implements Callable<Integer> {

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SUBJECT",
      description =
          "time (of each kind of step), memory (peak beyond noise and result) or transformer (each"
              + " step beside that of the network of a bundle).")
  private SamplerBenchmark.Subject subject;

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
    if (repetitions < 1) {
      throw new ParameterException(
          spec.commandLine(), "--repetitions must be at least 1, got " + repetitions);
    }
    SamplerBenchmark.run(System.out, subject, repetitions);
    return 0;
  }
}
