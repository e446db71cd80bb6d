package io.jitflow.examples.cli;

import ai.djl.engine.Engine;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.examples.bench.DeviceBenchmark;
import io.jitflow.examples.bench.EditingBenchmark;
import io.jitflow.examples.bench.ExactBenchmark;
import io.jitflow.examples.bench.NamedSampler;
import io.jitflow.examples.bench.PngFile;
import io.jitflow.examples.bench.PolicyBenchmark;
import io.jitflow.examples.bench.QualityChart;
import io.jitflow.examples.bench.SamplerBenchmark;
import io.jitflow.examples.bench.SamplerBenchmark.Subject;
import io.jitflow.examples.bench.SettingsSearch;
import io.jitflow.flux.network.FluxArchitecture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
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
      "  jit bench search --grid 16 --finals 20,32",
      "  jit bench inpainting --model dev-bundle --size 1024 --repetitions 3"
    })
final class BenchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "SUBJECT",
      description =
          "time (of each kind of step), memory (peak beyond noise and result), transformer (each"
              + " step beside that of the network of a bundle), exact (quality in worlds whose"
              + " pictures are known exactly), search (for settings that are good in them), device"
              + " (FLUX.1's transformer with random weights), policy (memory of a pipeline of its"
              + " widths with random weights), inpainting (all tokens of the kept part"
              + " against few), passes (two against one) or previews (what they cost).")
  private Subject subject;

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
              + " numbers from 3 to 14. Default: ${DEFAULT-VALUE}.")
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
          "Measured runs per token count or picture, for time, memory, device, inpainting, passes"
              + " and previews. Default: ${DEFAULT-VALUE}.")
  private int repetitions;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FOLDER",
      description =
          "A bundle, for transformer, inpainting, passes and previews; for policy its tokenizers"
              + " are used.")
  private Path model;

  @Option(
      names = "--size",
      paramLabel = "PX",
      defaultValue = "512",
      description =
          "Sides of the pictures, for policy, inpainting, passes and previews; for these a multiple"
              + " of 64. Default: ${DEFAULT-VALUE}.")
  private int sizePx;

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

  @Option(
      names = "--tokens",
      paramLabel = "N",
      split = ",",
      description = "For device: image tokens instead of the usual ones.")
  private List<Integer> tokens = List.of();

  @Option(
      names = "--memory",
      paramLabel = "POLICY",
      description =
          "For policy: resident, sequential, streamed or auto. Default: sequential. For device:"
              + " resident, or streamed, which leaves the weights in host memory. Default:"
              + " resident.")
  private ModelOption.MemoryName memory;

  @Option(
      names = "--arithmetic",
      paramLabel = "TYPE",
      description =
          "For policy: auto, float32 or stored. Default: auto. For device: float32 or stored."
              + " Default: stored.")
  private ModelOption.ArithmeticName arithmetic;

  @Option(
      names = "--bundle",
      paramLabel = "FOLDER",
      description = "For policy: where the bundle with random weights is, or is made.")
  private Path bundle;

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
      throw usage("--depth must be two numbers such as 2,4, got " + depth);
    }
    return depth.isEmpty()
        ? DeviceBenchmark.FLUX_DEV
        : DeviceBenchmark.fluxDev(depth.get(0), depth.get(1));
  }

  private void policy() throws IOException {
    if (model == null || bundle == null) {
      throw usage("bench policy needs a --model and a --bundle");
    }
    PolicyBenchmark.Setup setup =
        new PolicyBenchmark.Setup(
            model,
            bundle,
            architecture(),
            t5Layers,
            weights.type(),
            (arithmetic == null ? ModelOption.ArithmeticName.auto : arithmetic).value(),
            (memory == null ? ModelOption.MemoryName.sequential : memory).policy(),
            sizePx,
            textTokens);
    try {
      PolicyBenchmark.check(setup);
    } catch (IllegalArgumentException e) {
      throw usage(e);
    }
    PolicyBenchmark.run(System.out, setup);
  }

  private void device() throws IOException {
    if (!random || !shapes.equals("flux-dev")) {
      throw usage("bench device needs --random, and knows --shapes flux-dev");
    }
    if (memory == ModelOption.MemoryName.auto || memory == ModelOption.MemoryName.sequential) {
      throw usage("bench device knows --memory resident and streamed, got " + memory);
    }
    if (arithmetic == ModelOption.ArithmeticName.auto) {
      throw usage("bench device knows --arithmetic float32 and stored, got auto");
    }
    DeviceBenchmark.run(
        System.out,
        new DeviceBenchmark.Setup(
            Engine.getEngine("PyTorch").defaultDevice(),
            architecture(),
            weights.type(),
            arithmetic == ModelOption.ArithmeticName.float32,
            memory == ModelOption.MemoryName.streamed,
            tokens,
            repetitions));
  }

  @Override
  public Integer call() throws IOException {
    refuseOptionsOfOtherSubjects();
    if (repetitions < 1) {
      throw usage("--repetitions must be at least 1, got " + repetitions);
    }
    switch (subject) {
      case TIME, MEMORY -> SamplerBenchmark.run(System.out, subject, repetitions);
      case TRANSFORMER -> transformer();
      case EXACT -> exact();
      case SEARCH -> search();
      case DEVICE -> device();
      case POLICY -> policy();
      case INPAINTING, PASSES, PREVIEWS -> editing();
    }
    return 0;
  }

  private void refuseOptionsOfOtherSubjects() {
    List<String> taken = options(subject);
    for (OptionSpec given : spec.commandLine().getParseResult().matchedOptions()) {
      String name = given.longestName();
      boolean ofAnother =
          Arrays.stream(Subject.values()).anyMatch(other -> options(other).contains(name));
      if (ofAnother && !taken.contains(name)) {
        throw usage(
            "bench %s does not take %s; it takes %s"
                .formatted(subjectName(), name, String.join(", ", taken)));
      }
    }
  }

  /** What a subject takes; anything else would be passed over without a word. */
  static List<String> options(Subject subject) {
    return switch (subject) {
      case TIME, MEMORY -> List.of("--repetitions");
      case TRANSFORMER -> List.of("--model");
      case EXACT -> List.of("--grid", "--only", "--chart");
      case SEARCH -> List.of("--grid", "--finals", "--finalists", "--speedup", "--first-end");
      case DEVICE ->
          List.of(
              "--shapes",
              "--random",
              "--depth",
              "--weights",
              "--arithmetic",
              "--memory",
              "--tokens",
              "--repetitions");
      case POLICY ->
          List.of(
              "--model",
              "--bundle",
              "--size",
              "--depth",
              "--weights",
              "--arithmetic",
              "--memory",
              "--text-tokens",
              "--t5-layers");
      case INPAINTING, PASSES, PREVIEWS -> List.of("--model", "--size", "--repetitions");
    };
  }

  private String subjectName() {
    return subject.name().toLowerCase(Locale.ROOT);
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private ParameterException usage(IllegalArgumentException cause) {
    return new ParameterException(spec.commandLine(), cause.getMessage(), cause);
  }

  private void transformer() throws IOException {
    if (model == null) {
      throw usage("bench transformer needs a --model");
    }
    SamplerBenchmark.transformer(System.out, model);
  }

  private void editing() throws IOException {
    if (model == null) {
      throw usage("bench %s needs a --model".formatted(subjectName()));
    }
    if (sizePx < 64 || sizePx % 64 != 0) {
      throw usage("--size must be a multiple of 64, got " + sizePx);
    }
    EditingBenchmark.run(System.out, subject, model, sizePx, repetitions);
  }

  private TokenGrid grid(String option, int side) {
    if (side < 4 || side > 64 || side % 2 != 0) {
      throw usage(option + " must be an even number from 4 to 64, got " + side);
    }
    return new TokenGrid(side, side);
  }

  private void search() {
    List<TokenGrid> grids = new ArrayList<>();
    grids.add(grid("--grid", side));
    finals.forEach(larger -> grids.add(grid("--finals", larger)));
    for (int speedup : speedups) {
      if (speedup < SettingsSearch.LEAST_SPEEDUP || speedup > 14) {
        throw usage(
            "--speedup must be from %d to 14, got %d"
                .formatted(SettingsSearch.LEAST_SPEEDUP, speedup));
      }
    }
    if (finalists < 1 || !(firstEnd >= 0 && firstEnd < 1)) {
      throw usage(
          "--finalists must be at least 1 and --first-end at least 0 and below 1, got %d and %s"
              .formatted(finalists, firstEnd));
    }
    try {
      SettingsSearch.check(speedups, firstEnd);
    } catch (IllegalArgumentException e) {
      throw usage(e);
    }
    SettingsSearch.run(
        spec.commandLine().getOut(),
        speedups,
        new SettingsSearch.Scope(grids, firstEnd, finalists));
  }

  private void exact() throws IOException {
    TokenGrid grid = grid("--grid", side);
    List<NamedSampler> all = NamedSampler.all(ExactBenchmark.STANDARD);
    List<NamedSampler> samplers = SamplerNames.matching(only, all, spec.commandLine());
    if (chart != null) {
      OutputOption.checkWritable("chart", chart, spec.commandLine());
    }
    Map<String, List<QualityChart.Point>> lines =
        ExactBenchmark.run(spec.commandLine().getOut(), grid, samplers);
    if (chart != null) {
      PngFile.write(ExactBenchmark.chart(grid, lines), chart);
    }
  }
}
