package io.jitflow.examples.cli;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.examples.bench.Amounts;
import io.jitflow.examples.bench.PictureSet;
import io.jitflow.examples.bench.PngFile;
import io.jitflow.examples.bench.PromptSheet;
import io.jitflow.examples.bench.RunCost;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code jit sheet}: several prompts of a list by several samplers, {@code docs/images/sheet.png}.
 * Prompt k is name k n / K of the list, its seed is k: no prompt is picked by its result.
 */
@Command(
    name = "sheet",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Draw several prompts of a list with 50 standard steps, with as few as JiT 7x costs, and with"
          + " JiT, from the same noise; one row per sampler, with the median time of its"
          + " denoising phase.",
      ""
    })
final class SheetCommand implements Callable<Integer> {
  private static final int SMALL_STEPS = 7;

  @Spec private CommandSpec spec;

  @Mixin private PictureSetOptions pictures;

  @Option(
      names = "--count",
      defaultValue = "7",
      paramLabel = "K",
      description = "Number of prompts. Default: ${DEFAULT-VALUE}.")
  private int count;

  @Option(
      names = "--size",
      defaultValue = "512",
      paramLabel = "PX",
      description = "Width and height. Default: ${DEFAULT-VALUE}.")
  private int sizePx;

  @Option(
      names = {"-o", "--output"},
      required = true,
      paramLabel = "PNG",
      description = "Where to put the sheet.")
  private Path output;

  @Override
  public Integer call() throws IOException {
    SizeCheck.square(sizePx, spec.commandLine());
    OutputOption.checkWritable("sheet", output, spec.commandLine());
    PictureSet set = pictures.read(count);
    List<Integer> prompts = set.evenly(count);
    PrintWriter out = spec.commandLine().getOut();
    List<PromptSheet.Row> rows = new ArrayList<>();
    try (FluxPipeline pipeline = pictures.load();
        Progress progress = new Progress()) {
      Map<String, Sampler> samplers = samplers(pipeline);
      progress.steps("pictures", (long) samplers.size() * prompts.size());
      double standardFlops = 0;
      double standardSeconds = 0;
      for (Map.Entry<String, Sampler> entry : samplers.entrySet()) {
        List<BufferedImage> pictures = new ArrayList<>();
        List<Double> seconds = new ArrayList<>();
        double flops = 0;
        for (int k = 0; k < prompts.size(); k++) {
          List<SamplingStep> steps = new ArrayList<>();
          GeneratedImages made =
              pipeline.generate(
                  ImageRequest.of(set.names().get(prompts.get(k)))
                      .withSize(sizePx, sizePx)
                      .withSeed(k)
                      .withSampler(entry.getValue())
                      .withListener(steps::add));
          pictures.add(made.bufferedImage(0));
          seconds.add(made.timings().denoise().toNanos() / 1e9);
          flops += RunCost.of(RunCost.transformer(pipeline), made.request(), steps).flops();
          progress.to((long) rows.size() * prompts.size() + k + 1);
        }
        boolean first = rows.isEmpty();
        double median = Amounts.median(seconds);
        standardFlops = first ? flops : standardFlops;
        standardSeconds = first ? median : standardSeconds;
        String time = String.format(Locale.ROOT, "%.2f s", median);
        String work = Amounts.factor(standardFlops / flops) + " less work";
        String faster = Amounts.factor(standardSeconds / median) + " faster";
        rows.add(
            new PromptSheet.Row(
                first ? List.of(entry.getKey(), time) : List.of(entry.getKey(), time, faster, work),
                pictures));
        out.printf("%-24s %s  %s  %s%n", entry.getKey(), time, faster, work);
      }
    }
    prompts.forEach(name -> out.println(set.names().get(name)));
    out.flush();
    PngFile.write(PromptSheet.draw(rows), output);
    return 0;
  }

  private static Map<String, Sampler> samplers(FluxPipeline pipeline) {
    Map<String, Sampler> samplers = new LinkedHashMap<>();
    samplers.put("50 steps", new EulerSampler(pipeline.schedule(), 50));
    samplers.put(SMALL_STEPS + " steps", new EulerSampler(pipeline.schedule(), SMALL_STEPS));
    samplers.put("JiT 7x, paper", JitSampler.preset7x());
    samplers.put("JiT 7x, ours", JitSampler.forSpeedup(7));
    samplers.put("JiT 10x, ours", JitSampler.forSpeedup(10));
    return samplers;
  }
}
