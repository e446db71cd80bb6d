package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.Solver;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.FluxArchitecture;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Samplers side by side on a small model, from the same noise.
 *
 * <p>Prompt k is name k n / K of the list, its seed is k. Pictures are compared with the converged
 * one of the same noise: many steps of second order. Latents are compared as sets: the Frechet
 * distance between the tokens of a sampler's results and those of 28 steps of second order from
 * other seeds; a second such set gives the floor. Every figure is a mean over the prompts, times
 * are medians.
 */
public final class SamplerStudy {
  private static final int REFERENCE_STEPS = 28;
  private static final int REFERENCE_SEED = 10_000;
  private static final int FLOOR_SEED = 20_000;
  private static final int TOKENS_PER_IMAGE = 256;
  private static final int OCTAVES = 2;
  private static final int SHEET_ROWS = 12;
  private static final int SHEET_CELL_PX = 128;

  private final FluxPipeline pipeline;
  private final PictureSet set;
  private final int sizePx;
  private final int convergedSteps;
  private final List<Row> rows = new ArrayList<>();
  private final List<double[]> reference = new ArrayList<>();
  private final List<double[]> floor = new ArrayList<>();
  private int prompts;

  /** What one sampler did, summed over the prompts. */
  private static final class Row {
    private final NamedSampler named;
    private final List<BufferedImage> thumbnails = new ArrayList<>();
    private final List<double[]> tokens = new ArrayList<>();
    private final List<Double> seconds = new ArrayList<>();
    private double forwards;
    private double flops;
    private double squaredError;
    private double similarity;
    private double sharpness;
    private final double[] octaves = new double[OCTAVES];
    private double distance;
    private int recognised;

    Row(NamedSampler named) {
      this.named = named;
    }
  }

  /** The results of one run. */
  private record Drawn(
      BufferedImage picture,
      List<double[]> tokens,
      double seconds,
      double flops,
      double forwards) {}

  /**
   * Prepares a study.
   *
   * @param pipeline the model
   * @param set its pictures
   * @param sizePx width and height
   * @param convergedSteps steps of second order of the picture that others are compared with
   * @param samplers the rows; the first one's work is what others save
   */
  public SamplerStudy(
      FluxPipeline pipeline,
      PictureSet set,
      int sizePx,
      int convergedSteps,
      List<NamedSampler> samplers) {
    this.pipeline = pipeline;
    this.set = set;
    this.sizePx = sizePx;
    this.convergedSteps = convergedSteps;
    samplers.forEach(named -> rows.add(new Row(named)));
  }

  /**
   * Draws and measures one prompt with every sampler.
   *
   * @param k which prompt, from 0
   * @param count of how many
   */
  public void measure(int k, int count) {
    int name = set.evenly(count).get(k);
    ImageRequest request =
        ImageRequest.of(set.names().get(name)).withSize(sizePx, sizePx).withSeed(k);
    Drawn converged = draw(request, second(convergedSteps));
    double sharpness = PictureMetrics.sharpness(converged.picture);
    double[] octaves = PictureMetrics.octaves(converged.picture, OCTAVES);
    for (Row row : rows) {
      Drawn drawn = draw(request, row.named.sampler());
      BufferedImage picture = drawn.picture;
      Thumbnail thumbnail = Thumbnail.of(picture);
      row.seconds.add(drawn.seconds);
      row.flops += drawn.flops;
      row.forwards += drawn.forwards;
      row.tokens.addAll(drawn.tokens);
      row.squaredError += PictureMetrics.meanSquaredError(picture, converged.picture);
      row.similarity += PictureMetrics.structuralSimilarity(picture, converged.picture);
      row.sharpness += PictureMetrics.sharpness(picture) / sharpness;
      double[] own = PictureMetrics.octaves(picture, OCTAVES);
      for (int octave = 0; octave < OCTAVES; octave++) {
        row.octaves[octave] += own[octave] / octaves[octave];
      }
      row.distance += thumbnail.distance(set.references().get(name));
      row.recognised += set.recognises(thumbnail, name) ? 1 : 0;
      if (k < SHEET_ROWS) {
        row.thumbnails.add(small(picture));
      }
    }
    reference.addAll(draw(request.withSeed(REFERENCE_SEED + k), second(REFERENCE_STEPS)).tokens);
    floor.addAll(draw(request.withSeed(FLOOR_SEED + k), second(REFERENCE_STEPS)).tokens);
    prompts++;
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
    TokenGrid grid = new TokenGrid(sizePx / 16, sizePx / 16);
    double full =
        transformer.forwardFlops(grid.tokens(), made.request().textTokens().orElseThrow());
    return new Drawn(
        made.bufferedImage(0),
        keeping.tokens,
        made.timings().denoise().toNanos() / 1e9,
        cost.flops(),
        cost.flops() / full);
  }

  /** A sampler whose results are kept, token by token. */
  private record Keeping(Sampler sampler, List<double[]> tokens) implements Sampler {
    @Override
    public NDArray sample(VelocityModel model, SamplingRequest request) {
      NDArray latents = sampler.sample(model, request);
      float[] values = latents.toFloatArray();
      int channels = (int) latents.getShape().get(2);
      int all = values.length / channels;
      int stride = Math.max(1, all / TOKENS_PER_IMAGE);
      for (int token = 0; token < all; token += stride) {
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

  /** Prints a Markdown table. */
  public void print(PrintWriter out) {
    FrechetDistance to = FrechetDistance.to(reference);
    out.printf(
        Locale.ROOT,
        "%d px, %,d tokens, %d prompts; Frechet distance of another set of seeds: %.3f%n%n",
        sizePx,
        sizePx / 16 * (sizePx / 16),
        prompts,
        to.of(floor));
    out.println(
        "| sampler | cost, full forwards | less work | seconds | PSNR, dB | SSIM | sharpness |"
            + " finest octave | next | Frechet | recognised | distance |");
    out.println("|---|---|---|---|---|---|---|---|---|---|---|---|");
    double first = rows.get(0).flops;
    for (Row row : rows) {
      out.printf(
          Locale.ROOT,
          "| %s | %.2f | %s | %.2f | %.1f | %.3f | %.0f %% | %.0f %% | %.0f %% | %.3f | %.0f %% |"
              + " %.1f |%n",
          row.named.name(),
          row.forwards / prompts,
          row == rows.get(0) ? "" : Amounts.factor(first / row.flops),
          Amounts.median(row.seconds),
          psnr(row),
          row.similarity / prompts,
          100 * row.sharpness / prompts,
          100 * row.octaves[0] / prompts,
          100 * row.octaves[1] / prompts,
          to.of(row.tokens),
          100.0 * row.recognised / prompts,
          row.distance / prompts);
    }
    out.flush();
  }

  private double psnr(Row row) {
    return PictureMetrics.psnr(row.squaredError / prompts);
  }

  /** Sharpness against cost. */
  public BufferedImage sharpnessChart() {
    return chart(
        "Sharpness relative to the converged picture, %",
        QualityChart.Axis.LINEAR, row -> 100 * row.sharpness / prompts);
  }

  /** Frechet distance of the sets of latents against cost. */
  public BufferedImage frechetChart() {
    FrechetDistance to = FrechetDistance.to(reference);
    return chart(
        "Frechet distance of latent tokens",
        QualityChart.Axis.LOGARITHMIC,
        row -> to.of(row.tokens));
  }

  private BufferedImage chart(
      String quality, QualityChart.Axis axis, ToDoubleFunction<Row> measure) {
    Map<String, List<QualityChart.Point>> lines = new LinkedHashMap<>();
    for (Row row : rows) {
      lines
          .computeIfAbsent(row.named.method(), name -> new ArrayList<>())
          .add(new QualityChart.Point(row.forwards / prompts, measure.applyAsDouble(row)));
    }
    return QualityChart.draw(
        "flux-mini, %d px, %d prompts".formatted(sizePx, prompts), quality, axis, lines);
  }

  /** One row per prompt, one column per sampler in the order of the table. */
  public BufferedImage sheet() {
    int shown = Math.min(SHEET_ROWS, prompts);
    BufferedImage sheet =
        new BufferedImage(
            rows.size() * SHEET_CELL_PX, shown * SHEET_CELL_PX, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    for (int column = 0; column < rows.size(); column++) {
      for (int k = 0; k < shown; k++) {
        graphics.drawImage(
            rows.get(column).thumbnails.get(k), column * SHEET_CELL_PX, k * SHEET_CELL_PX, null);
      }
    }
    graphics.dispose();
    return sheet;
  }

  private static BufferedImage small(BufferedImage picture) {
    BufferedImage small =
        new BufferedImage(SHEET_CELL_PX, SHEET_CELL_PX, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = small.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    graphics.drawImage(picture, 0, 0, SHEET_CELL_PX, SHEET_CELL_PX, null);
    graphics.dispose();
    return small;
  }

  @Override
  public String toString() {
    return Arrays.toString(rows.stream().map(row -> row.named.name()).toArray());
  }
}
