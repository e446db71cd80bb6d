package io.jitflow.examples.cli;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.TransitionNoise;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.examples.bench.Amounts;
import io.jitflow.examples.bench.PictureMetrics;
import io.jitflow.examples.bench.PictureSet;
import io.jitflow.examples.bench.RunCost;
import io.jitflow.examples.bench.Thumbnail;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/**
 * Measures samplers against each other on the pictures that a small model was trained on.
 *
 * <p>Prompt k is name k n / K of the list, its seed is k. Every figure is a mean over the prompts,
 * but times, and how many times faster than the first row, are medians.
 */
@Command(
    name = "study",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Measure samplers against each other on a small model's own training pictures: distance to"
            + " the prompted picture, agreement with 50 standard steps, sharpness, time.")
final class StudyCommand implements Callable<Integer> {
  private static final int SHEET_ROWS = 12;
  private static final int SHEET_CELL_PX = 128;

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Option(names = "--model", required = true, paramLabel = "FOLDER", description = "A bundle.")
  private Path model;

  @Option(
      names = "--names",
      required = true,
      paramLabel = "FILE",
      description = "The captions: a JSON list of objects with a \"name\".")
  private Path names;

  @Option(
      names = "--references",
      required = true,
      paramLabel = "FILE",
      description = "The pictures at 16 x 16 px, 32 to a row, in the order of the names.")
  private Path references;

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
      names = "--standard-only",
      description = "Only 50 standard steps: how well prompts are followed.")
  private boolean standardOnly;

  @Option(
      names = "--ablations",
      description = "Also the release's settings with one of them as in the paper.")
  private boolean ablations;

  @Option(names = "--sheet", paramLabel = "PNG", description = "Where to put the picture sheet.")
  private Path sheet;

  /** What one sampler did, summed over the prompts. */
  private static final class Row {
    private final String name;
    private final Sampler sampler;
    private final List<BufferedImage> pictures = new ArrayList<>();
    private final Map<Integer, double[]> errorByStage = new TreeMap<>();
    private final List<Double> seconds = new ArrayList<>();
    private double flops;
    private long tokens;
    private double distance;
    private int recognised;
    private double squaredError;
    private double sharpness;

    Row(String name, Sampler sampler) {
      this.name = name;
      this.sampler = sampler;
    }
  }

  @Override
  public Integer call() throws IOException {
    main.interrupt().leavesNothing();
    check();
    PictureSet set = PictureSet.read(names, references);
    List<Integer> prompts = set.evenly(count);
    PrintWriter out = spec.commandLine().getOut();
    try (FluxPipeline pipeline = FluxPipeline.load(model)) {
      List<Row> rows = new ArrayList<>();
      samplers(pipeline).forEach((name, sampler) -> rows.add(new Row(name, sampler)));
      for (int k = 0; k < prompts.size(); k++) {
        ImageRequest request =
            ImageRequest.of(set.names().get(prompts.get(k))).withSize(sizePx, sizePx).withSeed(k);
        BufferedImage standard = null;
        for (Row row : rows) {
          BufferedImage picture = measure(pipeline, request, row, set, prompts.get(k), standard);
          standard = standard == null ? picture : standard;
        }
        main.interrupt().check();
      }
      print(out, rows, prompts.size());
      if (sheet != null) {
        ImageIO.write(sheet(rows), "png", sheet.toFile());
      }
    }
    return 0;
  }

  /** What would otherwise be noticed after all work. */
  private void check() {
    if (count < 1) {
      throw new ParameterException(spec.commandLine(), "--count must be at least 1, got " + count);
    }
    if (sheet != null && !Files.isDirectory(sheet.toAbsolutePath().getParent())) {
      throw new ParameterException(
          spec.commandLine(),
          "the folder of the --sheet does not exist: " + sheet.toAbsolutePath().getParent());
    }
  }

  private Map<String, Sampler> samplers(FluxPipeline pipeline) {
    Map<String, Sampler> samplers = new LinkedHashMap<>();
    samplers.put("Euler 50", new EulerSampler(pipeline.schedule(), 50));
    if (standardOnly) {
      return samplers;
    }
    samplers.put("Euler 12", new EulerSampler(pipeline.schedule(), 12));
    samplers.put("Euler 7", new EulerSampler(pipeline.schedule(), 7));
    for (String preset : List.of("4x", "7x")) {
      JitConfig paper = JitConfig.preset("default_" + preset);
      JitConfig released = paper.asReleased();
      samplers.put("JiT " + preset + ", as released", new JitSampler(released));
      samplers.put("JiT " + preset + ", as in the paper", new JitSampler(paper));
      if (ablations) {
        samplers.put(
            preset + " released, exact micro-flow",
            new JitSampler(released.withMicroFlow(paper.microFlow())));
        samplers.put(
            preset + " released, narrow blur, averaged ties",
            new JitSampler(
                released.withBlurWidth(paper.blurWidth()).withTiedAnchors(paper.tiedAnchors())));
        samplers.put(
            preset + " paper, initial noise again",
            new JitSampler(paper.withTransitionNoise(TransitionNoise.INITIAL)));
        samplers.put(
            preset + " released, initial noise again",
            new JitSampler(released.withTransitionNoise(TransitionNoise.INITIAL)));
        samplers.put(
            preset + " paper, the model's own schedule",
            new JitSampler(paper.withSchedule(pipeline.schedule())));
      }
    }
    return samplers;
  }

  private static BufferedImage measure(
      FluxPipeline pipeline,
      ImageRequest request,
      Row row,
      PictureSet set,
      int name,
      BufferedImage standard) {
    List<SamplingStep> steps = new ArrayList<>();
    GeneratedImages made =
        pipeline.generate(request.withSampler(row.sampler).withListener(steps::add));
    BufferedImage picture = (BufferedImage) made.images().get(0).getWrappedImage();
    Thumbnail thumbnail = Thumbnail.of(picture);
    row.pictures.add(picture);
    row.seconds.add(made.timings().denoise().toNanos() / 1e9);
    RunCost cost = RunCost.of(pipeline.bundle().transformer(), made.request(), steps);
    row.flops += cost.flops();
    row.tokens += cost.tokens();
    row.distance += thumbnail.distance(set.references().get(name));
    row.recognised += set.recognises(thumbnail, name) ? 1 : 0;
    row.sharpness += PictureMetrics.sharpness(picture);
    if (standard != null) {
      row.squaredError += PictureMetrics.meanSquaredError(picture, standard);
      addErrorByStage(row, picture, standard, steps);
    }
    return picture;
  }

  /** The error of each token's pixels, by the stage in which the token became active. */
  private static void addErrorByStage(
      Row row, BufferedImage picture, BufferedImage standard, List<SamplingStep> steps) {
    TokenGrid grid = steps.get(0).active().grid();
    int cell = picture.getWidth() / grid.cols();
    boolean[] seen = new boolean[grid.tokens()];
    for (SamplingStep step : steps) {
      for (int token : step.active().indices(0)) {
        if (!seen[token]) {
          seen[token] = true;
          double[] sum = row.errorByStage.computeIfAbsent(step.stage(), stage -> new double[2]);
          sum[0] +=
              PictureMetrics.blockError(
                  picture, standard, grid.col(token) * cell, grid.row(token) * cell, cell, cell);
          sum[1]++;
        }
      }
    }
  }

  private static void print(PrintWriter out, List<Row> rows, int prompts) {
    out.println(
        "| sampler | forwards | tokens | less work | seconds | faster | distance | recognised |"
            + " PSNR to 50 steps, dB | sharpness | RMS error by joining stage |");
    out.println("|---|---|---|---|---|---|---|---|---|---|---|");
    Row first = rows.get(0);
    double standardSeconds = Amounts.median(first.seconds);
    for (Row row : rows) {
      double seconds = Amounts.median(row.seconds);
      List<String> stages = new ArrayList<>();
      row.errorByStage
          .values()
          .forEach(sum -> stages.add("%.1f".formatted(Math.sqrt(sum[0] / sum[1]))));
      boolean isStandard = row.errorByStage.isEmpty();
      out.printf(
          "| %s | %d | %,d | %s | %.3f | %s | %.1f | %.0f %% | %s | %.4f | %s |%n",
          row.name,
          row.sampler.steps(),
          row.tokens / prompts,
          isStandard ? "" : Amounts.factor(first.flops / row.flops),
          seconds,
          isStandard ? "" : Amounts.factor(standardSeconds / seconds),
          row.distance / prompts,
          100.0 * row.recognised / prompts,
          isStandard ? "" : "%.1f".formatted(PictureMetrics.psnr(row.squaredError / prompts)),
          row.sharpness / prompts,
          String.join(", ", stages));
    }
    out.flush();
  }

  /** One row per prompt, one column per sampler in the order of the table. */
  private static BufferedImage sheet(List<Row> rows) {
    int prompts = Math.min(SHEET_ROWS, rows.get(0).pictures.size());
    BufferedImage sheet =
        new BufferedImage(
            rows.size() * SHEET_CELL_PX, prompts * SHEET_CELL_PX, BufferedImage.TYPE_INT_RGB);
    var graphics = sheet.createGraphics();
    graphics.setRenderingHint(
        java.awt.RenderingHints.KEY_INTERPOLATION,
        java.awt.RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    for (int column = 0; column < rows.size(); column++) {
      List<BufferedImage> pictures = rows.get(column).pictures;
      for (int k = 0; k < prompts; k++) {
        // spread over all prompts, so that the sheet is no selection
        BufferedImage picture = pictures.get(k * pictures.size() / prompts);
        graphics.drawImage(
            picture, column * SHEET_CELL_PX, k * SHEET_CELL_PX, SHEET_CELL_PX, SHEET_CELL_PX, null);
      }
    }
    graphics.dispose();
    return sheet;
  }
}
