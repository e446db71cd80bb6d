package io.jitflow.examples.cli;

import io.jitflow.examples.bench.ContextProbe;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.ImageRequest;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code jit probe}: what a sparse context costs the network of a bundle. */
@Command(
    name = "probe",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measure, by noise level, what evaluating anchors only costs a model: their context, the"
          + " interpolation between them, and the time step; recommend where stages should end.",
      ""
    },
    footer = {
      "",
      "Example:",
      "  jit probe --model dev-bundle --prompt \"a red fox in snow\" --prompt \"a harbour\""
    })
final class ProbeCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Mixin private BundleOption bundle;

  @Option(
      names = {"-p", "--prompt"},
      required = true,
      paramLabel = "TEXT",
      description = "What to draw; may be given again. Prompt k has the seed k.")
  private List<String> prompts;

  @Option(
      names = "--size",
      defaultValue = "512",
      paramLabel = "PX",
      description = "Width and height. Default: ${DEFAULT-VALUE}.")
  private int sizePx;

  @Option(
      names = "--density",
      defaultValue = "0.25,0.5,0.75",
      split = ",",
      paramLabel = "D",
      description = "Densities to try. Default: ${DEFAULT-VALUE}.")
  private double[] densities;

  @Override
  public Integer call() throws IOException {
    for (double density : densities) {
      if (!(density > 0 && density < 1)) {
        throw new ParameterException(
            spec.commandLine(), "--density must be above 0 and below 1, got " + density);
      }
    }
    SizeCheck.square(sizePx, spec.commandLine());
    try (FluxPipeline pipeline = bundle.load()) {
      ContextProbe probe = new ContextProbe(pipeline.schedule(), densities);
      try (Progress progress = new Progress()) {
        progress.steps("prompts", prompts.size());
        for (int k = 0; k < prompts.size(); k++) {
          pipeline.generate(
              ImageRequest.of(prompts.get(k))
                  .withSize(sizePx, sizePx)
                  .withSeed(k)
                  .withSampler(probe));
          progress.to(k + 1);
        }
      }
      probe.print(spec.commandLine().getOut());
    }
    return 0;
  }
}
