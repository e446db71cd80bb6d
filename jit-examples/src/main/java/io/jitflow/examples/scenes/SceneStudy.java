package io.jitflow.examples.scenes;

import io.jitflow.core.SamplingStep;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.examples.bench.Amounts;
import io.jitflow.examples.bench.MeasurementFile;
import io.jitflow.examples.bench.NamedSampler;
import io.jitflow.examples.bench.PromptSheet;
import io.jitflow.examples.bench.QualityChart;
import io.jitflow.examples.bench.RunCost;
import io.jitflow.examples.scenes.SceneMeasures.Measured;
import io.jitflow.examples.scenes.SceneMeasures.Prompt;
import io.jitflow.examples.scenes.SceneMeasures.Result;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.FluxArchitecture;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongConsumer;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Samplers side by side on scenes that a model has never seen.
 *
 * <p>Prompt k is the first caption of the held-out scene k, its seed is k; none is picked.
 */
public final class SceneStudy implements AutoCloseable {
  private static final long FIRST_RENDER = Scene.FIRST_HELD_OUT + 1_000_000;
  private static final int SHEET_PICTURES = 48;
  private static final int SHEET_COLUMNS = 8;
  private static final int ROW_PICTURES = 7;
  private static final int CELL_PX = 192;

  /** Costs up to this factor apart count as equal. */
  private static final double EQUAL_COST = 1.2;

  private static final byte[] NOT_SHOWN = {};

  private final FluxPipeline pipeline;
  private final SceneClassifier classifier;
  private final String files;
  private final Settings settings;
  private final List<NamedSampler> samplers;
  private final Optional<Path> kept;
  private final SceneMeasures measures;
  private final List<Drawings> measured = new ArrayList<>();
  private final Map<String, Result> results = new LinkedHashMap<>();

  /**
   * What is measured.
   *
   * @param sizePx width and height, a multiple of 128
   * @param count number of prompts, at least 2
   * @param renders number of fresh renders to compare with, at least 2
   * @param trained number of training scenes to look for the nearest in
   * @param guidance of a model with guidance embedding; others ignore it
   * @param draws how often to draw the prompts again for intervals
   */
  public record Settings(
      int sizePx, int count, int renders, int trained, double guidance, int draws) {}

  /** One prompt, drawn by samplers of these names. */
  private record Drawings(String study, Map<String, Drawing> samplers) {
    /** Whether that sampler drew it, with the same settings. */
    private boolean has(NamedSampler named) {
      Drawing drawing = samplers.get(named.name());
      return drawing != null && named.settings().equals(drawing.settings);
    }
  }

  /**
   * One picture, the settings of its sampler, what it cost, and a small one if a sheet shows it.
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared; Gson writes arrays as they are
  private record Drawing(
      String settings,
      double forwards,
      double flops,
      double seconds,
      Measured measured,
      byte[] shown) {}

  /**
   * Prepares a study: takes over the first prompts, as far as every sampler was measured on them
   * before, and renders what it compares with.
   *
   * @param pipeline the model
   * @param classifier the file of the model's classifier
   * @param settings what is measured
   * @param samplers the rows; the first one's work is what others save
   * @param kept a folder for the measurements of each prompt, so that a stopped study goes on
   * @param rendered is told how many of the fresh renders are there
   * @throws IllegalArgumentException if a sampler cannot draw on the grid of that size
   * @throws IOException if the classifier cannot be read, or a kept file is damaged or of another
   *     study
   */
  public SceneStudy(
      FluxPipeline pipeline,
      Path classifier,
      Settings settings,
      List<NamedSampler> samplers,
      Optional<Path> kept,
      LongConsumer rendered)
      throws IOException {
    TokenGrid grid = ImageRequest.of("any").withSize(settings.sizePx, settings.sizePx).grid();
    samplers.forEach(named -> named.sampler().check(grid));
    this.pipeline = pipeline;
    this.settings = settings;
    this.samplers = List.copyOf(samplers);
    this.kept = kept;
    this.files =
        "model %s, classifier %s"
            .formatted(
                MeasurementFile.model(pipeline.bundle()), MeasurementFile.checksum(classifier));
    resume();
    this.classifier = SceneClassifier.load(classifier);
    boolean complete = false;
    try {
      this.measures =
          new SceneMeasures(this.classifier, renders(rendered), trained(), settings.draws);
      complete = true;
    } finally {
      if (!complete) {
        this.classifier.close();
      }
    }
  }

  /** One at a time, as they are large. */
  private Stream<Picture> renders(LongConsumer rendered) {
    return LongStream.range(0, settings.renders)
        .peek(rendered)
        .mapToObj(k -> Picture.of(Scene.of(FIRST_RENDER + k), settings.sizePx, settings.sizePx));
  }

  /** A scene looks the same at every size: small renders do for thumbnails. */
  private List<Picture> trained() {
    return LongStream.range(0, settings.trained)
        .mapToObj(seed -> SceneMeasures.thumbnail(Picture.of(Scene.of(seed), 64, 64)))
        .toList();
  }

  private static Prompt prompt(int k) {
    Scene scene = Scene.of(Scene.FIRST_HELD_OUT + k);
    return new Prompt(scene, Caption.of(scene, 0));
  }

  /** How many prompts have been measured with every sampler. */
  public int measured() {
    return measured.size();
  }

  private void resume() throws IOException {
    while (measured.size() < settings.count) {
      Drawings before = before(measured.size());
      if (!samplers.stream().allMatch(before::has)) {
        return;
      }
      measured.add(before);
    }
  }

  /**
   * Draws and measures the next prompt with every sampler that has not been measured on it.
   *
   * @throws IOException if a kept file is damaged or of another study, or cannot be written
   */
  public void measureNext() throws IOException {
    int k = measured.size();
    Drawings drawings = before(k);
    for (NamedSampler named : samplers) {
      if (!drawings.has(named)) {
        drawings.samplers.put(named.name(), draw(k, named));
        if (kept.isPresent()) {
          MeasurementFile.write(file(k), drawings);
        }
      }
    }
    measured.add(drawings);
  }

  /** What was measured before on a prompt. */
  private Drawings before(int k) throws IOException {
    Map<String, Drawing> drawings = new LinkedHashMap<>();
    if (kept.isPresent()) {
      MeasurementFile.read(file(k), Drawings.class, Drawings::study, title(k))
          .ifPresent(before -> drawings.putAll(before.samplers));
    }
    return new Drawings(title(k), drawings);
  }

  private Path file(int k) {
    return kept.orElseThrow().resolve("scene-" + settings.sizePx + "-px-" + k + ".json");
  }

  /** What must be the same for measurements to be joined. */
  private String title(int k) {
    return "%s, seed %d, %s, nearest of %d, %s"
        .formatted(prompt(k).caption().text(), k, model(), settings.trained, files);
  }

  /** How the model is used. */
  private String model() {
    String size = "%d px, %s".formatted(settings.sizePx, RunCost.transformerType(pipeline));
    return RunCost.transformer(pipeline).guidanceEmbedding()
        ? "%s, guidance %s".formatted(size, settings.guidance)
        : size;
  }

  private Drawing draw(int k, NamedSampler named) {
    List<SamplingStep> steps = new ArrayList<>();
    GeneratedImages made =
        pipeline.generate(
            ImageRequest.of(prompt(k).caption().text())
                .withSize(settings.sizePx, settings.sizePx)
                .withSeed(k)
                .withGuidance(settings.guidance)
                .withSampler(named.sampler())
                .withListener(steps::add));
    FluxArchitecture transformer = RunCost.transformer(pipeline);
    RunCost cost = RunCost.of(transformer, made.request(), steps);
    BufferedImage image = made.bufferedImage(0);
    boolean shown = k < (named.equals(samplers.get(0)) ? SHEET_PICTURES : ROW_PICTURES);
    return new Drawing(
        named.settings(),
        cost.flops() / RunCost.fullForward(transformer, made.request()),
        cost.flops(),
        made.timings().denoise().toNanos() / 1e9,
        measures.of(Picture.of(image)),
        shown ? MeasurementFile.png(PromptSheet.small(image, CELL_PX)) : NOT_SHOWN);
  }

  private List<Prompt> prompts() {
    return Stream.iterate(0, k -> k + 1).limit(measured.size()).map(SceneStudy::prompt).toList();
  }

  /**
   * Prints Markdown tables of what was measured so far, and of what it differs by from plain steps
   * of equal cost; brackets hold intervals of 95 %, by drawing the prompts again.
   */
  public void print(PrintWriter out) {
    out.printf(
        Locale.ROOT, "%s, %d prompts, %d renders%n%n", model(), measured.size(), settings.renders);
    out.println(
        "| set | cost, full forwards | less work | seconds | attributes, % | held-out pairs |"
            + " features | patches | spectra | nearest, mean | smallest |");
    out.println("|---|---|---|---|---|---|---|---|---|---|---|");
    List<String> byAttribute = new ArrayList<>();
    references()
        .forEach(
            (name, result) -> {
              out.printf("| %s | | | | %s |%n", name, figures(result));
              byAttribute.add(byAttribute(name, result));
            });
    double first = mean(samplers.get(0), Drawing::flops);
    for (NamedSampler named : samplers) {
      double flops = mean(named, Drawing::flops);
      out.printf(
          Locale.ROOT,
          "| %s | %.2f | %s | %.3f | %s |%n",
          named.name(),
          mean(named, Drawing::forwards),
          Amounts.factor(first / flops),
          Amounts.median(of(named, Drawing::seconds)),
          figures(result(named)));
      byAttribute.add(byAttribute(named.name(), result(named)));
      out.flush();
    }
    printDifferences(out);
    out.println();
    out.println("Attributes drawn where they are named:");
    out.println();
    byAttribute.forEach(out::println);
    out.flush();
  }

  /** The other samplers against the plain ones that cost as much. */
  private void printDifferences(PrintWriter out) {
    Map<String, List<NamedSampler>> plain =
        samplers.stream()
            .filter(NamedSampler::isPlain)
            .collect(
                Collectors.groupingBy(
                    NamedSampler::method, LinkedHashMap::new, Collectors.toList()));
    List<String> rows = new ArrayList<>();
    for (NamedSampler named : samplers) {
      if (!named.isPlain()) {
        plain
            .values()
            .forEach(
                steps ->
                    ofEqualCost(named, steps).map(one -> row(named, one)).ifPresent(rows::add));
      }
    }
    if (!rows.isEmpty()) {
      out.println();
      out.println(
          "Minus plain steps of equal cost, on the same prompts; ahead where attributes are above 0"
              + " and distances below:");
      out.println();
      out.println(
          "| sampler | cost | plain steps | cost | attributes, points | features | patches |"
              + " spectra |");
      out.println("|---|---|---|---|---|---|---|---|");
      rows.forEach(out::println);
    }
  }

  /** The nearest in cost, if the two are at most a fifth apart. */
  private Optional<NamedSampler> ofEqualCost(NamedSampler named, List<NamedSampler> plain) {
    double cost = mean(named, Drawing::forwards);
    ToDoubleFunction<NamedSampler> ratio =
        other -> {
          double theirs = mean(other, Drawing::forwards);
          return Math.max(cost, theirs) / Math.min(cost, theirs);
        };
    return plain.stream()
        .min(Comparator.comparingDouble(ratio))
        .filter(other -> ratio.applyAsDouble(other) <= EQUAL_COST);
  }

  private String row(NamedSampler named, NamedSampler plain) {
    Result ours = result(named);
    Result theirs = result(plain);
    return String.format(
        Locale.ROOT,
        "| %s | %.2f | %s | %.2f | %s | %s | %s | %s |",
        named.name(),
        mean(named, Drawing::forwards),
        plain.name(),
        mean(plain, Drawing::forwards),
        ours.accuracy().minus(theirs.accuracy()).signed(100),
        ours.features().minus(theirs.features()).signed(1),
        ours.patches().minus(theirs.patches()).signed(1),
        ours.spectra().minus(theirs.spectra()).signed(1));
  }

  private Result result(NamedSampler named) {
    return results.computeIfAbsent(
        named.name(), name -> measures.of(prompts(), of(named, Drawing::measured)));
  }

  private static String figures(Result result) {
    return String.format(
        Locale.ROOT,
        "%s | %s | %s | %s | %s | %.1f | %.1f",
        result.accuracy().percent(),
        result.pairs(),
        result.features().text(),
        result.patches().text(),
        result.spectra().text(),
        result.nearest(),
        result.copied());
  }

  private static String byAttribute(String name, Result result) {
    return result.byAttribute().entrySet().stream()
        .map(entry -> entry.getKey() + " " + entry.getValue())
        .collect(Collectors.joining(", ", "- " + name + ": ", ""));
  }

  /** What the figures are when nothing is invented, and when something is plainly wrong. */
  private Map<String, Result> references() {
    Map<String, UnaryOperator<Picture>> changes = new LinkedHashMap<>();
    changes.put("renders of the prompts' scenes", picture -> picture);
    changes.put("the same, blurred", picture -> picture.blurred(settings.sizePx / 128));
    changes.put("the same, blurred more", picture -> picture.blurred(settings.sizePx / 32));
    changes.put("the same, 16 px blocks shuffled", picture -> picture.shuffled(16, 1));
    Map<String, Result> references = new LinkedHashMap<>();
    List<Prompt> prompts = prompts();
    changes.forEach(
        (name, change) -> {
          List<Measured> own =
              prompts.stream()
                  .map(prompt -> Picture.of(prompt.scene(), settings.sizePx, settings.sizePx))
                  .map(picture -> measures.of(change.apply(picture)))
                  .toList();
          references.put(name, measures.of(prompts, own));
          if (references.size() == 1) {
            List<Measured> others = new ArrayList<>(own.subList(1, own.size()));
            others.add(own.get(0));
            references.put("the same, of the wrong prompts", measures.of(prompts, others));
          }
        });
    return references;
  }

  private <T> List<T> of(NamedSampler named, Function<Drawing, T> part) {
    return measured.stream().map(all -> part.apply(all.samplers.get(named.name()))).toList();
  }

  private double mean(NamedSampler named, ToDoubleFunction<Drawing> part) {
    return of(named, part::applyAsDouble).stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElseThrow();
  }

  /** Attributes drawn as asked against cost. */
  public BufferedImage attributesChart() {
    return chart(
        "attributes drawn as asked, %",
        QualityChart.Axis.LINEAR, named -> 100 * result(named).accuracy().value());
  }

  /** Fréchet distance of the classifier's features against cost. */
  public BufferedImage featuresChart() {
    return chart(
        "Fréchet distance, features",
        QualityChart.Axis.LOGARITHMIC,
        named -> result(named).features().value());
  }

  private BufferedImage chart(
      String quality, QualityChart.Axis axis, ToDoubleFunction<NamedSampler> measure) {
    Map<String, List<QualityChart.Point>> lines = new LinkedHashMap<>();
    for (NamedSampler named : samplers) {
      lines
          .computeIfAbsent(named.method(), name -> new ArrayList<>())
          .add(
              new QualityChart.Point(mean(named, Drawing::forwards), measure.applyAsDouble(named)));
    }
    return QualityChart.draw(
        "scenes, %d px, %d prompts".formatted(settings.sizePx, measured.size()),
        quality,
        axis,
        lines);
  }

  /** The first 48 pictures of the first sampler. */
  public BufferedImage sheet() {
    List<BufferedImage> shown = shown(samplers.get(0), SHEET_PICTURES);
    int rows = (shown.size() + SHEET_COLUMNS - 1) / SHEET_COLUMNS;
    BufferedImage sheet =
        new BufferedImage(SHEET_COLUMNS * CELL_PX, rows * CELL_PX, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    for (int k = 0; k < shown.size(); k++) {
      graphics.drawImage(
          shown.get(k), k % SHEET_COLUMNS * CELL_PX, k / SHEET_COLUMNS * CELL_PX, null);
    }
    graphics.dispose();
    return sheet;
  }

  /** The first seven pictures of every sampler, a row each. */
  public BufferedImage rows() {
    double first = mean(samplers.get(0), Drawing::flops);
    List<PromptSheet.Row> rows = new ArrayList<>();
    for (NamedSampler named : samplers) {
      List<String> label =
          List.of(
              named.name(),
              String.format(Locale.ROOT, "%.2f s", Amounts.median(of(named, Drawing::seconds))),
              Amounts.factor(first / mean(named, Drawing::flops)) + " less work");
      rows.add(new PromptSheet.Row(label, shown(named, ROW_PICTURES)));
    }
    return PromptSheet.draw(rows);
  }

  private List<BufferedImage> shown(NamedSampler named, int most) {
    return of(named, Drawing::shown).stream().limit(most).map(MeasurementFile::picture).toList();
  }

  /** Closes the classifier, not the pipeline. */
  @Override
  public void close() {
    classifier.close();
  }
}
