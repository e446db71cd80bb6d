package io.jitflow.examples.cli;

import io.jitflow.examples.bench.NamedSampler;
import io.jitflow.examples.bench.PictureSet;
import io.jitflow.examples.bench.PngFile;
import io.jitflow.examples.bench.SamplerStudy;
import io.jitflow.flux.FluxPipeline;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Measures samplers against each other on the pictures that a small model was trained on.
 *
 * <p>{@link SamplerStudy} says what is measured.
 */
@Command(
    name = "study",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Measure samplers against each other on a small model's own training pictures: agreement"
            + " with the converged picture, sharpness, spectrum, distance between sets of latents.")
final class StudyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private PictureSetOptions pictures;
  @Mixin private StudyOptions options;

  @Option(
      names = "--size",
      defaultValue = "256",
      paramLabel = "PX",
      description = "Width and height.")
  private int sizePx;

  @Option(
      names = "--count",
      defaultValue = "64",
      paramLabel = "K",
      description = "Number of prompts.")
  private int count;

  @Option(
      names = "--converged",
      defaultValue = "100",
      paramLabel = "N",
      description = "Steps of second order of the converged picture. Default: ${DEFAULT-VALUE}.")
  private int converged;

  @Option(
      names = "--settings",
      description = "Instead of the comparison: settings of JiT one at a time.")
  private boolean settings;

  @Option(
      names = "--measured",
      description = "Measure nothing; print what --keep holds of every sampler.")
  private boolean measured;

  @Option(names = "--sheet", paramLabel = "PNG", description = "Where to put the picture sheet.")
  private Path sheet;

  @Option(
      names = "--charts",
      paramLabel = "PREFIX",
      description = "Where to put PREFIX-sharpness.png and PREFIX-frechet.png.")
  private String charts;

  @Override
  public Integer call() throws IOException {
    Optional<Path> keep = options.keep();
    int draws = options.draws();
    check(keep);
    PictureSet set = pictures.read(count);
    PrintWriter out = spec.commandLine().getOut();
    try (FluxPipeline pipeline = pictures.load()) {
      SamplerStudy study =
          new SamplerStudy(
              pipeline, set, sizePx, count, converged, samplers(pipeline), keep, draws);
      study.resume();
      if (!measured) {
        measure(study);
      }
      if (study.measured() == 0) {
        throw new IOException(
            keep.orElseThrow() + ": holds no prompt that every sampler was measured on");
      }
      study.print(out);
      if (sheet != null) {
        PngFile.write(study.sheet(), sheet);
      }
      if (charts != null) {
        PngFile.write(study.sharpnessChart(), Path.of(charts + "-sharpness.png"));
        PngFile.write(study.frechetChart(), Path.of(charts + "-frechet.png"));
      }
    }
    return 0;
  }

  private void measure(SamplerStudy study) throws IOException {
    List<Integer> prompts = study.prompts();
    try (Progress progress = new Progress()) {
      progress.steps("prompts", prompts.size(), study.measured());
      for (int k : prompts) {
        study.measure(k);
        progress.to(study.measured());
      }
    }
  }

  /** What would otherwise be noticed after all work. */
  private void check(Optional<Path> keep) {
    if (measured && keep.isEmpty()) {
      throw new ParameterException(spec.commandLine(), "--measured needs --keep FOLDER");
    }
    if (converged < 1) {
      throw new ParameterException(
          spec.commandLine(), "--converged must be at least 1, got " + converged);
    }
    SizeCheck.square(sizePx, spec.commandLine());
    if (sheet != null) {
      OutputOption.checkWritable("--sheet", sheet, spec.commandLine());
    }
    if (charts != null) {
      OutputOption.checkWritable(
          "--charts", Path.of(charts + "-sharpness.png"), spec.commandLine());
    }
  }

  private List<NamedSampler> samplers(FluxPipeline pipeline) {
    List<NamedSampler> all = NamedSampler.all(pipeline.schedule());
    return options.samplers(
        all.get(0),
        settings ? NamedSampler.oneChanged(pipeline.schedule()) : all.subList(1, all.size()));
  }
}
