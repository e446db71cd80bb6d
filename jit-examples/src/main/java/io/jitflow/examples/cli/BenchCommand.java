package io.jitflow.examples.cli;

import ai.djl.engine.Engine;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.examples.bench.DeviceBenchmark;
import io.jitflow.examples.bench.ExactBenchmark;
import io.jitflow.examples.bench.NamedSampler;
import io.jitflow.examples.bench.PolicyBenchmark;
import io.jitflow.examples.bench.SamplerBenchmark;
import io.jitflow.examples.bench.SettingsSearch;
import io.jitflow.flux.network.FluxArchitecture;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
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
      "  jit bench exact --grid 20",
      "  jit bench search --grid 16 --finals 20,32"
    })
final class BenchCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SUBJECT",
      description =
          "time (of each kind of step), memory (peak beyond noise and result), transformer (each"
              + " step beside that of the network of a bundle), exact (quality in worlds whose"
              + " pictures are known exactly), search (for settings that are good in them), device"
              + " (FLUX.1's transformer with random weights) or policy (memory of a pipeline of"
              + " FLUX.1's widths with random weights).")
  private SamplerBenchmark.Subject subject;

  @Option(
      names = "--grid",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "Rows and columns of the worlds, for exact and search; an even number. Default:"
              + " ${DEFAULT-VALUE}.")
  private int side;

  @Option(
      names = "--finals",
      paramLabel = "N",
      split = ",",
      description = "For search: larger worlds, in which the best settings are tried again.")
  private List<Integer> finals = List.of();

  @Option(
      names = "--finalists",
      paramLabel = "K",
      defaultValue = "5",
      description = "For search: how many settings those are. Default: ${DEFAULT-VALUE}.")
  private int finalists;

  @Option(
      names = "--speedup",
      paramLabel = "X",
      split = ",",
      defaultValue = "7,10,13",
      description =
          "For search: how many times less than 50 full steps the settings shall cost, whole"
              + " numbers from 2 to 14. Default: ${DEFAULT-VALUE}.")
  private List<Integer> speedups;

  @Option(
      names = "--first-end",
      paramLabel = "SIGMA",
      defaultValue = "0.89",
      description =
          "For search: the noise level above which the first stage must end, since a trained"
              + " network pays for a sparse context; jit probe tells a bundle's. 0 asks for"
              + " nothing. Default: ${DEFAULT-VALUE}.")
  private double firstEnd;

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
      description = "A bundle, for transformer; its tokenizers are used, for policy.")
  private Path model;

  @Option(
      names = "--shapes",
      paramLabel = "MODEL",
      defaultValue = "flux-dev",
      description = "For device: whose widths. Only flux-dev is known.")
  private String shapes;

  @Option(names = "--random", description = "For device: random weights, the only ones there are.")
  private boolean random;

  @Option(
      names = "--depth",
      paramLabel = "DOUBLE,SINGLE",
      split = ",",
      arity = "1",
      description =
          "For device and policy: numbers of blocks, where memory is short. Default: 19,38.")
  private List<Integer> depth = List.of();

  @Option(
      names = "--weights",
      paramLabel = "TYPE",
      defaultValue = "bf16",
      description = "For device and policy: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private ConvertCommand.DtypeOption.Dtype weights;

  @Option(names = "--float32", description = "For device: compute in float32.")
  private boolean float32;

  @Option(names = "--streamed", description = "For device: weights stay in host memory.")
  private boolean streamed;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      split = ",",
      description = "For device: image tokens instead of the usual ones.")
  private List<Integer> tokens = List.of();

  @Option(
      names = "--memory",
      paramLabel = "POLICY",
      defaultValue = "sequential",
      description = "For policy: resident, sequential or streamed. Default: ${DEFAULT-VALUE}.")
  private ModelOption.MemoryName memory;

  @Option(
      names = "--arithmetic",
      paramLabel = "TYPE",
      defaultValue = "auto",
      description = "For policy: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
  private ModelOption.ArithmeticName arithmetic;

  @Option(
      names = "--bundle",
      paramLabel = "FOLDER",
      description = "For policy: where the bundle with random weights is, or is made.")
  private Path bundle;

  @Option(
      names = "--size",
      paramLabel = "PX",
      defaultValue = "256",
      description = "For policy: width and height. Default: ${DEFAULT-VALUE}.")
  private int sizePx;

  @Option(
      names = "--text-tokens",
      paramLabel = "N",
      defaultValue = "512",
      description = "For policy. Default: ${DEFAULT-VALUE}.")
  private int textTokens;

  @Option(
      names = "--t5-layers",
      paramLabel = "N",
      defaultValue = "24",
      description = "For policy: layers of T5. Default: ${DEFAULT-VALUE}.")
  private int t5Layers;

  private FluxArchitecture architecture() {
    if (!depth.isEmpty() && depth.size() != 2) {
      throw new ParameterException(
          spec.commandLine(), "--depth must be two numbers such as 2,4, got " + depth);
    }
    return depth.isEmpty()
        ? DeviceBenchmark.FLUX_DEV
        : DeviceBenchmark.fluxDev(depth.get(0), depth.get(1));
  }

  private int policy() throws IOException {
    if (model == null || bundle == null) {
      throw new ParameterException(
          spec.commandLine(), "bench policy needs a --model and a --bundle");
    }
    PolicyBenchmark.run(
        System.out,
        new PolicyBenchmark.Setup(
            model,
            bundle,
            architecture(),
            t5Layers,
            weights.type(),
            arithmetic.value(),
            memory.policy(),
            sizePx,
            textTokens));
    return 0;
  }

  private int device() throws IOException {
    if (!random || !shapes.equals("flux-dev")) {
      throw new ParameterException(
          spec.commandLine(), "bench device needs --random, and knows --shapes flux-dev");
    }
    DeviceBenchmark.run(
        System.out,
        new DeviceBenchmark.Setup(
            Engine.getEngine("PyTorch").defaultDevice(),
            architecture(),
            weights.type(),
            float32,
            streamed,
            tokens,
            repetitions));
    return 0;
  }

  @Override
  public Integer call() throws IOException {
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
    if (subject == SamplerBenchmark.Subject.SEARCH) {
      search();
      return 0;
    }
    if (repetitions < 1) {
      throw new ParameterException(
          spec.commandLine(), "--repetitions must be at least 1, got " + repetitions);
    }
    if (subject == SamplerBenchmark.Subject.DEVICE) {
      return device();
    }
    if (subject == SamplerBenchmark.Subject.POLICY) {
      return policy();
    }
    SamplerBenchmark.run(System.out, subject, repetitions);
    return 0;
  }

  private TokenGrid grid(String option, int side) {
    if (side < 4 || side > 64 || side % 2 != 0) {
      throw new ParameterException(
          spec.commandLine(), option + " must be an even number from 4 to 64, got " + side);
    }
    return new TokenGrid(side, side);
  }

  private void search() {
    List<TokenGrid> grids = new ArrayList<>();
    grids.add(grid("--grid", side));
    finals.forEach(larger -> grids.add(grid("--finals", larger)));
    for (int speedup : speedups) {
      if (speedup < 2 || speedup > 14) {
        throw new ParameterException(
            spec.commandLine(), "--speedup must be from 2 to 14, got " + speedup);
      }
    }
    if (finalists < 1 || !(firstEnd >= 0 && firstEnd < 1)) {
      throw new ParameterException(
          spec.commandLine(),
          "--finalists must be at least 1 and --first-end at least 0 and below 1, got %d and %s"
              .formatted(finalists, firstEnd));
    }
    SettingsSearch.run(
        spec.commandLine().getOut(),
        speedups,
        new SettingsSearch.Scope(grids, firstEnd, finalists));
  }

  private void exact() throws IOException {
    TokenGrid grid = grid("--grid", side);
    List<NamedSampler> samplers =
        NamedSampler.all(ExactBenchmark.STANDARD).stream()
            .filter(named -> only.matcher(named.name()).find())
            .toList();
    BufferedImage picture = ExactBenchmark.run(spec.commandLine().getOut(), grid, samplers);
    if (chart != null) {
      ImageIO.write(picture, "png", chart.toFile());
    }
  }
}
