package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.Solver;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.examples.bench.Bootstrap.Interval;
import io.jitflow.examples.bench.PromptMeasures.Measures;
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
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Samplers side by side on a small model, from the same noise.
 *
 * <p>Prompt k is name k n / K of the list, its seed is k. Pictures are compared with the converged
 * one of the same noise: many steps of second order. Latents are compared as sets of all their
 * tokens: the Frechet distance between the tokens of a sampler's results and those of 28 steps of
 * second order from other seeds; a second such set gives the floor. Other figures are means over
 * the prompts, PSNR is that of the mean squared error over all, times are medians.
 */
public final class SamplerStudy {
  private static final int REFERENCE_STEPS = 28;
  private static final int REFERENCE_SEED = 10_000;
  private static final int FLOOR_SEED = 20_000;
  private static final int OCTAVES = 2;
  private static final int SHEET_ROWS = 12;
  private static final int SHEET_CELL_PX = 128;

  private final FluxPipeline pipeline;
  private final String model;
  private final PictureSet set;
  private final int sizePx;
  private final int count;
  private final int convergedSteps;
  private final List<NamedSampler> samplers;
  private final Optional<Path> kept;
  private final int draws;
  private final SortedMap<Integer, PromptMeasures> measured = new TreeMap<>();

  /** The results of one run. */
  private record Drawn(
      BufferedImage picture, Moments tokens, double seconds, double flops, double forwards) {}

  /**
   * Prepares a study.
   *
   * @param pipeline the model
   * @param set its pictures
   * @param sizePx width and height
   * @param count number of prompts, evenly spaced in the set
   * @param convergedSteps steps of second order of the picture that others are compared with
   * @param samplers the rows; the first one's work is what others save
   * @param kept a folder for the measurements of each prompt, so that a stopped study goes on
   * @param draws how often to draw the prompts again for intervals
   * @throws IllegalArgumentException if a sampler cannot draw on the grid of that size
   * @throws IOException if the manifest of the model cannot be read
   */
  public SamplerStudy(
      FluxPipeline pipeline,
      PictureSet set,
      int sizePx,
      int count,
      int convergedSteps,
      List<NamedSampler> samplers,
      Optional<Path> kept,
      int draws)
      throws IOException {
    TokenGrid grid = ImageRequest.of("any").withSize(sizePx, sizePx).grid();
    samplers.forEach(named -> named.sampler().check(grid));
    this.pipeline = pipeline;
    this.model = MeasurementFile.model(pipeline.bundle());
    this.set = set;
    this.sizePx = sizePx;
    this.count = set.evenly(count).size();
    this.convergedSteps = convergedSteps;
    this.samplers = List.copyOf(samplers);
    this.kept = kept;
    this.draws = draws;
  }

  /**
   * The prompts, from 0, in an order (van der Corput's) in which those done so far are spread over
   * the set whenever the study stops.
   */
  public List<Integer> prompts() {
    return IntStream.range(0, count)
        .boxed()
        .sorted(Comparator.comparing(k -> Integer.reverse(k) >>> 1))
        .toList();
  }

  /** Takes over what was measured before of the prompts and samplers of this study. */
  public void resume() throws IOException {
    for (int k = 0; k < count && kept.isPresent(); k++) {
      Optional<PromptMeasures> found = PromptMeasures.read(file(k), title(k));
      if (found.isPresent() && missing(found.get()).isEmpty()) {
        measured.put(k, found.get());
      }
    }
  }

  /** How many prompts have been measured with every sampler. */
  public int measured() {
    return measured.size();
  }

  /**
   * Draws and measures one prompt with every sampler that has not been measured on it.
   *
   * @param k which prompt, from 0
   */
  public void measure(int k) throws IOException {
    if (measured.containsKey(k)) {
      return;
    }
    int name = set.evenly(count).get(k);
    ImageRequest request =
        ImageRequest.of(set.names().get(name)).withSize(sizePx, sizePx).withSeed(k);
    Optional<PromptMeasures> before =
        kept.isPresent() ? PromptMeasures.read(file(k), title(k)) : Optional.empty();
    PromptMeasures measures = before.isPresent() ? before.get() : references(k, request);
    BufferedImage converged = MeasurementFile.picture(measures.converged());
    for (NamedSampler named : missing(measures)) {
      measures = measures.with(named.name(), measures(request, named, converged, name));
      if (kept.isPresent()) {
        measures.write(file(k));
      }
    }
    measured.put(k, measures);
  }

  private PromptMeasures references(int k, ImageRequest request) {
    return new PromptMeasures(
        title(k),
        MeasurementFile.png(draw(request, second(convergedSteps)).picture),
        draw(request.withSeed(REFERENCE_SEED + k), second(REFERENCE_STEPS)).tokens,
        draw(request.withSeed(FLOOR_SEED + k), second(REFERENCE_STEPS)).tokens,
        Map.of());
  }

  private Measures measures(
      ImageRequest request, NamedSampler named, BufferedImage converged, int name) {
    Drawn drawn = draw(request, named.sampler());
    BufferedImage picture = drawn.picture;
    Thumbnail thumbnail = Thumbnail.of(picture);
    double[] octaves = PictureMetrics.octaves(picture, OCTAVES);
    double[] wanted = PictureMetrics.octaves(converged, OCTAVES);
    for (int octave = 0; octave < OCTAVES; octave++) {
      octaves[octave] /= wanted[octave];
    }
    return new Measures(
        named.settings(),
        drawn.forwards,
        drawn.flops,
        drawn.seconds,
        PictureMetrics.meanSquaredError(picture, converged),
        PictureMetrics.structuralSimilarity(picture, converged),
        PictureMetrics.sharpness(picture) / PictureMetrics.sharpness(converged),
        octaves,
        thumbnail.distance(set.references().get(name)),
        set.recognises(thumbnail, name),
        drawn.tokens,
        MeasurementFile.png(PromptSheet.small(picture, SHEET_CELL_PX)));
  }

  private List<NamedSampler> missing(PromptMeasures measures) {
    return samplers.stream().filter(named -> !measures.has(named)).toList();
  }

  private Path file(int k) {
    return kept.orElseThrow().resolve("prompt-" + k + ".json");
  }

  /** What must be the same for measurements to be joined. */
  private String title(int k) {
    return "%s, prompt %d of %d, %d px, %s, %d steps, model %s, pictures %s, all tokens"
        .formatted(
            set.names().get(set.evenly(count).get(k)),
            k,
            count,
            sizePx,
            RunCost.transformerType(pipeline),
            convergedSteps,
            model,
            set.checksum());
  }

  private Sampler second(int steps) {
    return new PlainSampler(pipeline.schedule(), steps, Solver.ADAMS_BASHFORTH_2);
  }

  private Drawn draw(ImageRequest request, Sampler sampler) {
    List<SamplingStep> steps = new ArrayList<>();
    Keeping keeping = new Keeping(sampler, new ArrayList<>());
    GeneratedImages made = pipeline.generate(request.withSampler(keeping).withListener(steps::add));
    FluxArchitecture transformer = RunCost.transformer(pipeline);
    RunCost cost = RunCost.of(transformer, made.request(), steps);
    return new Drawn(
        made.bufferedImage(0),
        Moments.of(keeping.tokens),
        made.timings().denoise().toNanos() / 1e9,
        cost.flops(),
        cost.flops() / RunCost.fullForward(transformer, made.request()));
  }

  /** A sampler whose results are kept, token by token. */
  private record Keeping(Sampler sampler, List<double[]> tokens) implements Sampler {
    @Override
    public NDArray sample(VelocityModel model, SamplingRequest request) {
      NDArray latents = sampler.sample(model, request);
      float[] values = latents.toFloatArray();
      int channels = (int) latents.getShape().get(2);
      int all = values.length / channels;
      for (int token = 0; token < all; token++) {
        double[] one = new double[channels];
        for (int c = 0; c < channels; c++) {
          one[c] = values[token * channels + c];
        }
        tokens.add(one);
      }
      return latents;
    }

    @Override
    public boolean usesTransitionNoise() {
      return sampler.usesTransitionNoise();
    }

    @Override
    public void check(TokenGrid grid) {
      sampler.check(grid);
    }

    @Override
    public double[] sigmas(TokenGrid grid) {
      return sampler.sigmas(grid);
    }

    @Override
    public int steps() {
      return sampler.steps();
    }
  }

  /** Prints a Markdown table; brackets hold intervals of 95 %, by drawing the prompts again. */
  public void print(PrintWriter out) {
    if (measured.isEmpty()) {
      throw new IllegalStateException("no prompt has been measured with every sampler yet");
    }
    FrechetDistance to = reference();
    out.printf(
        Locale.ROOT,
        "%d px, %,d tokens, %s, %d prompts; Frechet distance of another set of seeds: %.3f%n%n",
        sizePx,
        sizePx / 16 * (sizePx / 16),
        RunCost.transformerType(pipeline),
        measured.size(),
        to.of(Moments.together(of(PromptMeasures::floor))));
    out.println(
        "| sampler | cost, full forwards | less work | seconds | PSNR, dB | SSIM | sharpness |"
            + " finest octave | next | Frechet | recognised | distance |");
    out.println("|---|---|---|---|---|---|---|---|---|---|---|---|");
    double first = mean(samplers.get(0), Measures::flops);
    for (NamedSampler named : samplers) {
      out.printf(
          Locale.ROOT,
          "| %s | %.2f | %s | %.3f | %.1f | %.3f | %.0f %%%s | %.0f %% | %.0f %% | %.3f%s | %.0f %%"
              + " | %.1f |%n",
          named.name(),
          mean(named, Measures::forwards),
          named.equals(samplers.get(0)) ? "" : Amounts.factor(first / mean(named, Measures::flops)),
          Amounts.median(of(named, Measures::seconds)),
          PictureMetrics.psnr(mean(named, Measures::squaredError)),
          mean(named, Measures::similarity),
          100 * mean(named, Measures::sharpness),
          interval("%.0f", chosen -> 100 * mean(chosen, named, Measures::sharpness)),
          100 * mean(named, measures -> measures.octaves()[0]),
          100 * mean(named, measures -> measures.octaves()[1]),
          to.of(tokens(named)),
          interval("%.3f", chosen -> frechet(chosen, named)),
          100 * mean(named, measures -> measures.recognised() ? 1 : 0),
          mean(named, Measures::distance));
    }
    out.flush();
  }

  private String interval(String format, ToDoubleFunction<int[]> figure) {
    Interval interval = Bootstrap.interval(measured.size(), draws, figure);
    return (" (" + format + " to " + format + ")")
        .formatted(Math.max(0, interval.low()), interval.high());
  }

  private <T> List<T> of(Function<PromptMeasures, T> part) {
    return measured.values().stream().map(part).toList();
  }

  private <T> List<T> of(NamedSampler named, Function<Measures, T> part) {
    return of(measures -> part.apply(measures.samplers().get(named.name())));
  }

  private double mean(NamedSampler named, ToDoubleFunction<Measures> part) {
    return mean(IntStream.range(0, measured.size()).toArray(), named, part);
  }

  private double mean(int[] chosen, NamedSampler named, ToDoubleFunction<Measures> part) {
    List<Double> values = of(named, part::applyAsDouble);
    return Arrays.stream(chosen).mapToDouble(values::get).average().orElseThrow();
  }

  private Moments tokens(NamedSampler named) {
    return Moments.together(of(named, Measures::tokens));
  }

  private FrechetDistance reference() {
    return FrechetDistance.to(Moments.together(of(PromptMeasures::reference)));
  }

  private double frechet(int[] chosen, NamedSampler named) {
    List<Moments> reference = of(PromptMeasures::reference);
    List<Moments> tokens = of(named, Measures::tokens);
    return FrechetDistance.to(together(chosen, reference)).of(together(chosen, tokens));
  }

  private static Moments together(int[] chosen, List<Moments> parts) {
    return Moments.together(Arrays.stream(chosen).mapToObj(parts::get).toList());
  }

  /** Sharpness against cost. */
  public BufferedImage sharpnessChart() {
    return chart(
        "Sharpness relative to the converged picture, %",
        QualityChart.Axis.LINEAR, named -> 100 * mean(named, Measures::sharpness));
  }

  /** Frechet distance of the sets of latents against cost. */
  public BufferedImage frechetChart() {
    FrechetDistance to = reference();
    return chart(
        "Frechet distance of latent tokens",
        QualityChart.Axis.LOGARITHMIC,
        named -> to.of(tokens(named)));
  }

  private BufferedImage chart(
      String quality, QualityChart.Axis axis, ToDoubleFunction<NamedSampler> measure) {
    Map<String, List<QualityChart.Point>> lines = new LinkedHashMap<>();
    for (NamedSampler named : samplers) {
      lines
          .computeIfAbsent(named.method(), name -> new ArrayList<>())
          .add(
              new QualityChart.Point(
                  mean(named, Measures::forwards), measure.applyAsDouble(named)));
    }
    return QualityChart.draw(
        "%d px, %d prompts".formatted(sizePx, measured.size()), quality, axis, lines);
  }

  /** One row per prompt, one column per sampler in the order of the table. */
  public BufferedImage sheet() {
    List<PromptMeasures> shown = measured.values().stream().limit(SHEET_ROWS).toList();
    BufferedImage sheet =
        new BufferedImage(
            samplers.size() * SHEET_CELL_PX,
            shown.size() * SHEET_CELL_PX,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    for (int column = 0; column < samplers.size(); column++) {
      for (int row = 0; row < shown.size(); row++) {
        Measures measures = shown.get(row).samplers().get(samplers.get(column).name());
        graphics.drawImage(
            MeasurementFile.picture(measures.thumbnail()),
            column * SHEET_CELL_PX,
            row * SHEET_CELL_PX,
            null);
      }
    }
    graphics.dispose();
    return sheet;
  }
}
