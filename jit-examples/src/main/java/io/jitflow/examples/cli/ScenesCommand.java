package io.jitflow.examples.cli;

import io.jitflow.examples.bench.NamedSampler;
import io.jitflow.examples.bench.PngFile;
import io.jitflow.examples.scenes.SceneStudy;
import io.jitflow.flux.FluxPipeline;
import java.io.IOException;
import java.nio.file.Files;
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
 * Measures samplers against each other on scenes that a model has never seen.
 *
 * <p>{@link SceneStudy} says what is measured.
 */
@Command(
    name = "scenes",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Measure samplers on a model of rendered landscapes: attributes drawn as asked, and"
            + " Fréchet distances from fresh renders.")
final class ScenesCommand implements Callable<Integer> {
  private static final int MULTIPLE_PX = 128;
  private static final int LARGEST_PX = 2048;

  @Spec private CommandSpec spec;

  @Mixin private BundleOption bundle;
  @Mixin private StudyOptions study;

  @Option(
      names = "--classifier",
      required = true,
      paramLabel = "FILE",
      description = "classifier.pt of the model's folder.")
  private Path classifier;

  @Option(
      names = "--size",
      defaultValue = "256",
      paramLabel = "PX",
      description = "Width and height, a multiple of 128. Default: ${DEFAULT-VALUE}.")
  private int sizePx;

  @Option(
      names = "--count",
      defaultValue = "256",
      paramLabel = "K",
      description = "Number of prompts. Default: ${DEFAULT-VALUE}.")
  private int count;

  @Option(
      names = "--renders",
      defaultValue = "2048",
      paramLabel = "K",
      description = "Number of fresh renders to compare with. Default: ${DEFAULT-VALUE}.")
  private int renders;

  @Option(
      names = "--trained",
      defaultValue = "4000",
      paramLabel = "K",
      description =
          "Number of training scenes to look for the nearest in. Default: ${DEFAULT-VALUE}.")
  private int trained;

  @Option(
      names = {"-g", "--guidance"},
      defaultValue = "3.5",
      paramLabel = "SCALE",
      description =
          "Guidance of a model with guidance embedding; others ignore it. Default:"
              + " ${DEFAULT-VALUE}.")
  private double guidance;

  @Option(
      names = "--sheet",
      paramLabel = "PNG",
      description = "Where to put the pictures of 50 standard steps, 48 at most.")
  private Path sheet;

  @Option(
      names = "--rows",
      paramLabel = "PNG",
      description = "Where to put the first seven pictures of each sampler, a row each.")
  private Path rows;

  @Option(
      names = "--charts",
      paramLabel = "PREFIX",
      description = "Where to put PREFIX-attributes.png and PREFIX-features.png.")
  private String charts;

  @Override
  public Integer call() throws IOException {
    check();
    Optional<Path> keep = study.keep();
    SceneStudy.Settings settings =
        new SceneStudy.Settings(sizePx, count, renders, trained, guidance, study.draws());
    try (FluxPipeline pipeline = bundle.load();
        SceneStudy scenes = study(pipeline, settings, keep)) {
      try (Progress progress = new Progress()) {
        progress.steps("prompts", count, scenes.measured());
        while (scenes.measured() < count) {
          scenes.measureNext();
          progress.to(scenes.measured());
        }
      }
      scenes.print(spec.commandLine().getOut());
      if (sheet != null) {
        PngFile.write(scenes.sheet(), sheet);
      }
      if (rows != null) {
        PngFile.write(scenes.rows(), rows);
      }
      if (charts != null) {
        PngFile.write(scenes.attributesChart(), Path.of(charts + "-attributes.png"));
        PngFile.write(scenes.featuresChart(), Path.of(charts + "-features.png"));
      }
    }
    return 0;
  }

  private SceneStudy study(FluxPipeline pipeline, SceneStudy.Settings settings, Optional<Path> keep)
      throws IOException {
    try (Progress progress = new Progress()) {
      progress.steps("fresh renders", renders);
      return new SceneStudy(pipeline, classifier, settings, samplers(pipeline), keep, progress::to);
    }
  }

  /** What would otherwise be noticed after all work. */
  private void check() {
    if (sizePx < MULTIPLE_PX || sizePx > LARGEST_PX || sizePx % MULTIPLE_PX != 0) {
      throw usage("--size must be a multiple of 128 from 128 to 2048, got " + sizePx);
    }
    atLeast("--count", 2, count);
    atLeast("--renders", 2, renders);
    atLeast("--trained", 1, trained);
    if (!(guidance >= 0) || Double.isInfinite(guidance)) {
      throw usage("--guidance must be 0 or above, got " + guidance);
    }
    if (!Files.isRegularFile(classifier)) {
      throw usage("the file of --classifier does not exist: " + classifier);
    }
    if (sheet != null) {
      OutputOption.checkWritable("--sheet", sheet, spec.commandLine());
    }
    if (rows != null) {
      OutputOption.checkWritable("--rows", rows, spec.commandLine());
    }
    if (charts != null) {
      OutputOption.checkWritable("--charts", Path.of(charts + "-features.png"), spec.commandLine());
    }
  }

  private void atLeast(String option, int least, int value) {
    if (value < least) {
      throw usage("%s must be at least %d, got %d".formatted(option, least, value));
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private List<NamedSampler> samplers(FluxPipeline pipeline) {
    List<NamedSampler> all = NamedSampler.all(pipeline.schedule());
    return study.samplers(all.get(0), all.subList(1, all.size()));
  }
}
