package io.jitflow.examples.cli;

import io.jitflow.examples.bench.NamedSampler;
import io.jitflow.examples.bench.PictureSet;
import io.jitflow.examples.bench.SamplerStudy;
import io.jitflow.flux.FluxPipeline;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
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
  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Mixin private PictureSetOptions pictures;

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
      names = "--only",
      defaultValue = ".*",
      paramLabel = "REGEX",
      description = "Only samplers whose name matches, beside 50 Euler steps.")
  private Pattern only;

  @Option(
      names = "--settings",
      description = "Instead of the comparison: settings of JiT one at a time.")
  private boolean settings;

  @Option(names = "--sheet", paramLabel = "PNG", description = "Where to put the picture sheet.")
  private Path sheet;

  @Option(
      names = "--charts",
      paramLabel = "PREFIX",
      description = "Where to put PREFIX-sharpness.png and PREFIX-frechet.png.")
  private String charts;

  @Override
  public Integer call() throws IOException {
    main.interrupt().leavesNothing();
    check();
    PictureSet set = pictures.read(count);
    int prompts = set.evenly(count).size();
    PrintWriter out = spec.commandLine().getOut();
    try (FluxPipeline pipeline = pictures.load()) {
      SamplerStudy study = new SamplerStudy(pipeline, set, sizePx, converged, samplers(pipeline));
      try (Progress progress = new Progress()) {
        progress.steps("prompts", prompts);
        for (int k = 0; k < prompts; k++) {
          main.interrupt().check();
          study.measure(k, prompts);
          progress.to(k + 1);
        }
      }
      study.print(out);
      if (sheet != null) {
        ImageIO.write(study.sheet(), "png", sheet.toFile());
      }
      if (charts != null) {
        ImageIO.write(study.sharpnessChart(), "png", new File(charts + "-sharpness.png"));
        ImageIO.write(study.frechetChart(), "png", new File(charts + "-frechet.png"));
      }
    }
    return 0;
  }

  /** What would otherwise be noticed after all work. */
  private void check() {
    if (sheet != null && !Files.isDirectory(sheet.toAbsolutePath().getParent())) {
      throw new ParameterException(
          spec.commandLine(),
          "the folder of the --sheet does not exist: " + sheet.toAbsolutePath().getParent());
    }
  }

  private List<NamedSampler> samplers(FluxPipeline pipeline) {
    List<NamedSampler> all = NamedSampler.all(pipeline.schedule());
    List<NamedSampler> chosen = new ArrayList<>();
    chosen.add(all.get(0));
    (settings ? NamedSampler.settings(pipeline.schedule()) : all.subList(1, all.size()))
        .stream().filter(named -> only.matcher(named.name()).find()).forEach(chosen::add);
    return chosen;
  }
}
