package io.jitflow.examples.scenes;

import ai.djl.modality.cv.Image;
import io.jitflow.core.SamplingStep;
import io.jitflow.examples.bench.Amounts;
import io.jitflow.examples.bench.NamedSampler;
import io.jitflow.examples.bench.QualityChart;
import io.jitflow.examples.bench.RunCost;
import io.jitflow.examples.scenes.SceneMeasures.Prompt;
import io.jitflow.examples.scenes.SceneMeasures.Result;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Measures samplers against each other on scenes that the model has never seen.
 *
 * <p>Prompt k is the first caption of the held-out scene k, its seed is k; none is picked.
 */
@Command(
    name = "scenes",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Measure samplers on a model of rendered landscapes: attributes drawn as asked, and"
            + " Fréchet distances from fresh renders.")
public final class SceneStudyCommand implements Callable<Integer> {
  private static final int TRAINED = 12_000;
  private static final long FIRST_RENDER = Scene.FIRST_HELD_OUT + 1_000_000;
  private static final int SHEET_COLUMNS = 8;
  private static final int SHEET_CELL_PX = 192;

  @Spec private CommandSpec spec;

  @Option(names = "--model", required = true, paramLabel = "FOLDER", description = "A bundle.")
  private Path model;

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
      description = "Width and height, a multiple of 128.")
  private int sizePx;

  @Option(
      names = "--count",
      defaultValue = "256",
      paramLabel = "K",
      description = "Number of prompts.")
  private int count;

  @Option(
      names = "--renders",
      defaultValue = "2048",
      paramLabel = "K",
      description = "Number of fresh renders to compare with.")
  private int renders;

  @Option(
      names = "--only",
      defaultValue = ".*",
      paramLabel = "REGEX",
      description = "Only samplers whose name matches.")
  private Pattern only;

  @Option(
      names = "--sheet",
      paramLabel = "PNG",
      description = "Where to put the pictures of 50 standard steps, 48 at most.")
  private Path sheet;

  @Option(
      names = "--charts",
      paramLabel = "PREFIX",
      description = "Where to put PREFIX-attributes.png and PREFIX-features.png.")
  private String charts;

  /** The pictures of one sampler, and what they cost. */
  private static final class Row {
    private final NamedSampler named;
    private final List<Picture> pictures = new ArrayList<>();
    private final List<Double> seconds = new ArrayList<>();
    private double flops;
    private double forwards;

    Row(NamedSampler named) {
      this.named = named;
    }
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    List<Prompt> prompts = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      Scene scene = Scene.of(Scene.FIRST_HELD_OUT + k);
      prompts.add(new Prompt(scene, Caption.of(scene, 0)));
    }
    try (SceneClassifier reader = SceneClassifier.load(classifier)) {
      SceneMeasures measures =
          new SceneMeasures(reader, render(FIRST_RENDER, renders, sizePx), trained());
      out.printf("%d px, %d prompts, %d renders%n%n", sizePx, count, renders);
      out.println(
          "| set | cost, full forwards | less work | seconds | attributes, % | held-out pairs, % |"
              + " features | patches | spectra | nearest |");
      out.println("|---|---|---|---|---|---|---|---|---|---|");
      references(out, measures, prompts);
      generated(out, measures, prompts);
    }
    return 0;
  }

  private static List<Picture> render(long firstSeed, int count, int sizePx) {
    List<Picture> pictures = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      pictures.add(Picture.of(Scene.of(firstSeed + k), sizePx, sizePx));
    }
    return pictures;
  }

  /** A scene looks the same at every size: small renders do for thumbnails. */
  private static List<Picture> trained() {
    List<Picture> pictures = new ArrayList<>();
    for (int seed = 0; seed < TRAINED; seed++) {
      pictures.add(SceneMeasures.thumbnail(Picture.of(Scene.of(seed), 64, 64)));
    }
    return pictures;
  }

  /** What the figures are when nothing is invented, and when something is plainly wrong. */
  private void references(PrintWriter out, SceneMeasures measures, List<Prompt> prompts) {
    List<Picture> own =
        prompts.stream().map(prompt -> Picture.of(prompt.scene(), sizePx, sizePx)).toList();
    Result renders = measures.of(prompts, own);
    print(out, "renders of the prompts' scenes", null, 1, renders);
    Map<String, UnaryOperator<Picture>> spoilt = new LinkedHashMap<>();
    spoilt.put("the same, blurred", picture -> picture.blurred(sizePx / 128));
    spoilt.put("the same, 16 px blocks shuffled", picture -> picture.shuffled(16, 1));
    spoilt.forEach(
        (name, change) ->
            print(out, name, null, 1, measures.of(prompts, own.stream().map(change).toList())));
    List<Picture> others = new ArrayList<>(own.subList(1, own.size()));
    others.add(own.get(0));
    print(out, "the same, of the wrong prompts", null, 1, measures.of(prompts, others));
    printAttributes(out, renders);
  }

  private void generated(PrintWriter out, SceneMeasures measures, List<Prompt> prompts)
      throws IOException {
    Map<String, List<QualityChart.Point>> attributes = new LinkedHashMap<>();
    Map<String, List<QualityChart.Point>> features = new LinkedHashMap<>();
    try (FluxPipeline pipeline = FluxPipeline.load(model)) {
      double standardFlops = 0;
      for (NamedSampler named : NamedSampler.all(pipeline.schedule())) {
        boolean standard = standardFlops == 0;
        if (!standard && !only.matcher(named.name()).find()) {
          continue;
        }
        Row row = new Row(named);
        for (int k = 0; k < count; k++) {
          draw(pipeline, row, prompts.get(k), k);
        }
        standardFlops = standard ? row.flops : standardFlops;
        Result result = measures.of(prompts, row.pictures);
        print(out, named.name(), row, standardFlops, result);
        double forwards = row.forwards / count;
        add(attributes, named.method(), forwards, 100 * result.accuracy().value());
        add(features, named.method(), forwards, result.features().value());
        if (standard) {
          printAttributes(out, result);
          if (sheet != null) {
            ImageIO.write(sheet(row.pictures), "png", sheet.toFile());
          }
        }
      }
    }
    if (charts != null) {
      chart("attributes", "attributes drawn as asked, %", QualityChart.Axis.LINEAR, attributes);
      chart("features", "Fréchet distance, features", QualityChart.Axis.LOGARITHMIC, features);
    }
  }

  private static void add(
      Map<String, List<QualityChart.Point>> lines, String method, double cost, double quality) {
    lines
        .computeIfAbsent(method, key -> new ArrayList<>())
        .add(new QualityChart.Point(cost, quality));
  }

  private void chart(
      String name,
      String quality,
      QualityChart.Axis axis,
      Map<String, List<QualityChart.Point>> lines)
      throws IOException {
    String title = "scenes, %d px, %d prompts".formatted(sizePx, count);
    ImageIO.write(
        QualityChart.draw(title, quality, axis, lines),
        "png",
        new File("%s-%s.png".formatted(charts, name)));
  }

  private void draw(FluxPipeline pipeline, Row row, Prompt prompt, int seed) {
    List<SamplingStep> steps = new ArrayList<>();
    ImageRequest request =
        ImageRequest.of(prompt.caption().text())
            .withSize(sizePx, sizePx)
            .withSeed(seed)
            .withSampler(row.named.sampler())
            .withListener(steps::add);
    GeneratedImages made = pipeline.generate(request);
    Image image = made.images().get(0);
    row.pictures.add(Picture.of((BufferedImage) image.getWrappedImage()));
    row.seconds.add(made.timings().denoise().toNanos() / 1e9);
    RunCost cost = RunCost.of(RunCost.transformer(pipeline), made.request(), steps);
    row.flops += cost.flops();
    row.forwards += (double) cost.tokens() / made.request().grid().tokens();
  }

  private static void print(
      PrintWriter out, String name, Row row, double standardFlops, Result result) {
    out.printf(
        "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %.1f |%n",
        name,
        row == null ? "" : "%.2f".formatted(row.forwards / row.pictures.size()),
        row == null ? "" : Amounts.factor(standardFlops / row.flops),
        row == null ? "" : "%.2f".formatted(Amounts.median(row.seconds)),
        result.accuracy().percent(),
        Double.isNaN(result.pairs()) ? "" : "%.0f".formatted(100 * result.pairs()),
        result.features().text(),
        result.patches().text(),
        result.spectra().text(),
        result.nearest());
    out.flush();
  }

  private static void printAttributes(PrintWriter out, Result result) {
    StringBuilder line = new StringBuilder("| by attribute, % |");
    for (Attribute attribute : Attribute.values()) {
      Double share = result.byAttribute().get(attribute);
      if (share != null) {
        line.append(" %s %.0f".formatted(attribute, 100 * share));
      }
    }
    out.println(line.append(" |"));
    out.flush();
  }

  private static BufferedImage sheet(List<Picture> pictures) {
    int shown = Math.min(48, pictures.size());
    int rows = (shown + SHEET_COLUMNS - 1) / SHEET_COLUMNS;
    BufferedImage sheet =
        new BufferedImage(
            SHEET_COLUMNS * SHEET_CELL_PX, rows * SHEET_CELL_PX, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    for (int k = 0; k < shown; k++) {
      graphics.drawImage(
          pictures.get(k).image(),
          k % SHEET_COLUMNS * SHEET_CELL_PX,
          k / SHEET_COLUMNS * SHEET_CELL_PX,
          SHEET_CELL_PX,
          SHEET_CELL_PX,
          null);
    }
    graphics.dispose();
    return sheet;
  }
}
