package io.jitflow.examples.cli;

import ai.djl.modality.cv.Image;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.Stage;
import io.jitflow.examples.bench.Amounts;
import io.jitflow.examples.bench.ContactSheet;
import io.jitflow.examples.bench.PictureMetrics;
import io.jitflow.examples.bench.PngFile;
import io.jitflow.examples.bench.RunCost;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jit compare}: the standard sampler and JiT with several settings on the same noise. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Draw the same prompt from the same noise with the standard sampler and with the"
          + " Just-in-Time sampler: 7x with the paper's settings, 7x and 10x with the settings that"
          + " measurement chose. Compare pictures and times.",
      "",
      "Writes a contact sheet (FILE.png) with the pictures and the stages of JiT 7x, a picture of"
          + " the tokens that were active in each stage of every JiT (FILE-anchors.png), and every"
          + " image by itself (FILE-standard.png, FILE-7x-paper.png, FILE-7x.png, FILE-10x.png).",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  jit compare --model dev-bundle --prompt \"a red fox in snow\" --seed 42 -o fox.png",
      "  jit compare --model dev-bundle --prompt \"a red fox\" --steps 28 --size 768x512",
      ""
    })
final class CompareCommand implements Callable<Integer> {
  private static final String STANDARD = "standard";

  /** The samplers of JiT by the names of their pictures. */
  private static final Map<String, JitSampler> JIT = new LinkedHashMap<>();

  static {
    JIT.put("7x-paper", JitSampler.preset7x());
    JIT.put("7x", JitSampler.forSpeedup(7));
    JIT.put("10x", JitSampler.forSpeedup(10));
  }

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      required = true,
      description = "What to draw, in quotation marks.")
  private String prompt;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "50",
      description = "Steps of the standard sampler. Default: ${DEFAULT-VALUE}.")
  private int steps;

  @Mixin private RequestOptions options;
  @Mixin private OutputOption output;
  @Mixin private ModelOption model;

  /** One sampler's result. */
  private record Run(
      String name,
      GeneratedImages result,
      List<SamplingStep> steps,
      BufferedImage image,
      RunCost cost) {

    boolean isStandard() {
      return name.equals(STANDARD);
    }

    String title() {
      return isStandard() ? name : "JiT " + name.replace("-paper", ", paper");
    }

    Duration denoise() {
      return result.timings().denoise();
    }
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    ImageRequest request;
    Path sheetFile;
    Path anchorsFile;
    Map<String, Path> files = new LinkedHashMap<>();
    try {
      RequestOptions.requireReadable("--prompt", prompt);
      SamplerOptions.checkSteps(steps);
      request = options.applyTo(ImageRequest.of(prompt));
      sheetFile = output.file(1);
      anchorsFile = output.companion("anchors");
      files.put(STANDARD, output.companion(STANDARD));
      for (String name : JIT.keySet()) {
        files.put(name, output.companion(name));
      }
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }

    List<Run> runs = new ArrayList<>();
    FluxBundle bundle = model.describe(main.interrupt(), err);
    ImageRequest standard =
        request.withSampler(new EulerSampler(bundle.scheduler().schedule(), steps));
    try (Progress progress = new Progress();
        FluxPipeline pipeline = model.load(bundle, standard, main.interrupt(), progress)) {
      Map<String, Sampler> samplers = new LinkedHashMap<>();
      samplers.put(STANDARD, new EulerSampler(pipeline.schedule(), steps));
      samplers.putAll(JIT);

      // a step of each stage, which does not count: encodes the prompt, loads what the samplers
      // need, warms up the device for each number of tokens, fixes the seed
      for (JitSampler sampler : JIT.values()) {
        double[] densities =
            sampler.config().stages().stream().mapToDouble(Stage::density).toArray();
        int[] once = new int[densities.length];
        Arrays.fill(once, 1);
        JitSampler shortened = new JitSampler(JitConfig.ofSteps(once, densities));
        Run warmUp = run(pipeline, progress, "warm-up", request.withSampler(shortened));
        request = request.withSeed(warmUp.result().request().seed().orElseThrow());
      }
      for (Map.Entry<String, Sampler> entry : samplers.entrySet()) {
        runs.add(run(pipeline, progress, entry.getKey(), request.withSampler(entry.getValue())));
      }
    }

    for (Run run : runs) {
      run.result().save(files.get(run.name()));
    }
    Map<String, List<ContactSheet.Panel>> stages = new LinkedHashMap<>();
    runs.subList(1, runs.size()).forEach(run -> stages.put(run.name(), anchors(run)));
    PngFile.write(
        ContactSheet.draw(title(request), List.of(sheet(runs), stages.get("7x"))), sheetFile);
    PngFile.write(
        ContactSheet.draw(
            "Tokens per stage: bright and orange (new) ones are evaluated, dark ones are not",
            List.copyOf(stages.values())),
        anchorsFile);

    print(out, runs);
    out.println("contact sheet: " + sheetFile);
    out.println("active tokens: " + anchorsFile);
    files.forEach((name, file) -> out.printf("%-13s  %s%n", name + ":", file));
    out.flush();
    runs.get(0).result().remarks().forEach(remark -> err.println("note: " + Printable.of(remark)));
    err.flush();
    return 0;
  }

  private Run run(FluxPipeline pipeline, Progress progress, String name, ImageRequest request) {
    main.interrupt().check();
    progress.prefix(name + ": ");
    StepRecorder recorder = new StepRecorder(main.interrupt(), progress);
    GeneratedImages result = pipeline.generate(request.withListener(recorder));
    return new Run(
        name,
        result,
        recorder.steps(),
        pixels(result.images().get(0)),
        RunCost.of(RunCost.transformer(pipeline), result.request(), recorder.steps()));
  }

  private static List<ContactSheet.Panel> anchors(Run run) {
    return AnchorMap.panels(run.title(), run.image(), run.steps());
  }

  private static BufferedImage pixels(Image image) {
    return (BufferedImage) image.getWrappedImage();
  }

  private static String title(ImageRequest request) {
    return "%s   (%d x %d px, seed %d)"
        .formatted(
            request.prompt(), request.widthPx(), request.heightPx(), request.seed().orElseThrow());
  }

  private static List<ContactSheet.Panel> sheet(List<Run> runs) {
    Run standard = runs.get(0);
    List<ContactSheet.Panel> panels = new ArrayList<>();
    for (Run run : runs) {
      List<String> lines = new ArrayList<>();
      lines.add(run.title() + ", " + run.steps().size() + " steps");
      lines.add(
          Amounts.time(run.denoise()) + (run.isStandard() ? "" : ", " + speedUp(standard, run)));
      panels.add(new ContactSheet.Panel(run.image(), lines));
    }
    return panels;
  }

  private static void print(PrintWriter out, List<Run> runs) {
    Run standard = runs.get(0);
    out.printf(
        "%-10s %6s %12s %10s %10s %8s %12s%n",
        "sampler", "steps", "tokens", "less work", "denoise", "faster", "difference");
    for (Run run : runs) {
      out.printf(
          Locale.ROOT,
          "%-10s %6d %,12d %10s %10s %8s %12s%n",
          run.name(),
          run.steps().size(),
          run.cost().tokens(),
          run.isStandard() ? "" : Amounts.factor(standard.cost().flops() / run.cost().flops()),
          Amounts.time(run.denoise()),
          run.isStandard() ? "" : speedUp(standard, run),
          run.isStandard()
              ? ""
              : "%.1f / 255"
                  .formatted(PictureMetrics.meanAbsoluteError(standard.image(), run.image())));
    }
  }

  private static String speedUp(Run standard, Run run) {
    double ratio = (double) standard.denoise().toNanos() / Math.max(1, run.denoise().toNanos());
    return Amounts.factor(ratio);
  }
}
