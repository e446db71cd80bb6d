package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.Inpainting;
import io.jitflow.flux.image.Inpainting.Context;
import io.jitflow.flux.image.PreviewListener;
import io.jitflow.flux.image.SourceImage;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What requests that start from a picture cost and give: inpainting with every token of the kept
 * part and with few, two passes against one, previews. Everything is measured with the same few
 * pictures and seeds, and what is compared takes turns, so that a machine that slows down slows
 * both.
 */
public final class EditingBenchmark {
  private static final List<String> PROMPTS = List.of("red apple", "soccer ball", "brick");
  private static final double[] SHARES = {0.1, 0.25, 0.5};
  private static final double[] STRENGTHS = {0.6, 0.8};
  private static final int STEPS = 20;
  private static final int TOKEN_PX = 16;

  private final PrintStream out;
  private final FluxPipeline pipeline;
  private final int sizePx;
  private final int repetitions;
  private final Map<String, Sampler> samplers = new LinkedHashMap<>();

  private EditingBenchmark(PrintStream out, FluxPipeline pipeline, int sizePx, int repetitions) {
    this.out = out;
    this.pipeline = pipeline;
    this.sizePx = sizePx;
    this.repetitions = repetitions;
    samplers.put("Euler " + STEPS, new EulerSampler(pipeline.schedule(), STEPS));
    samplers.put("JiT 7x, paper", JitSampler.preset7x());
    samplers.put("JiT 7x, ours", JitSampler.forSpeedup(7));
  }

  /**
   * Measures and prints a Markdown table.
   *
   * @param out where to print
   * @param subject {@code INPAINTING}, {@code PASSES} or {@code PREVIEWS}
   * @param bundle a model
   * @param sizePx sides of the pictures, a multiple of 16 px
   * @param repetitions measured runs of each picture, after one that is not measured
   * @throws IOException if the bundle cannot be loaded
   */
  public static void run(
      PrintStream out, SamplerBenchmark.Subject subject, Path bundle, int sizePx, int repetitions)
      throws IOException {
    try (FluxPipeline pipeline =
        FluxPipeline.load(bundle, FluxOptions.defaults().withCachedPrompts(64))) {
      EditingBenchmark benchmark = new EditingBenchmark(out, pipeline, sizePx, repetitions);
      switch (subject) {
        case INPAINTING -> benchmark.inpainting();
        case PASSES -> benchmark.passes();
        case PREVIEWS -> benchmark.previews();
        default -> throw new IllegalArgumentException("no subject of editing: " + subject);
      }
    }
  }

  private ImageRequest request(String prompt, Sampler sampler) {
    return ImageRequest.of(prompt).withSize(sizePx, sizePx).withSeed(1).withSampler(sampler);
  }

  /** Squares in the middle of pictures that the model drew, drawn anew with the same prompt. */
  private void inpainting() {
    List<BufferedImage> pictures = new ArrayList<>();
    for (String prompt : PROMPTS) {
      pictures.add(
          pipeline.generate(request(prompt, samplers.get("Euler " + STEPS))).bufferedImage(0));
    }
    out.println(
        "| mask | sampler | context | tokens seen | denoise s, median | least, most | to the original, dB | to all tokens, dB | sharpness, of the original |");
    out.println("|---|---|---|---|---|---|---|---|---|");
    for (double share : SHARES) {
      int side = (int) Math.round(sizePx * Math.sqrt(share) / TOKEN_PX) * TOKEN_PX;
      for (Map.Entry<String, Sampler> sampler : samplers.entrySet()) {
        inpainting(pictures, side, sampler);
      }
    }
  }

  private void inpainting(
      List<BufferedImage> pictures, int side, Map.Entry<String, Sampler> sampler) {
    int from = (sizePx - side) / 2 / TOKEN_PX * TOKEN_PX;
    SourceImage mask = square(from, side);
    Context[] contexts = Context.values();
    List<List<Double>> seconds = new ArrayList<>();
    double[] toOriginal = new double[contexts.length];
    double[] toAll = new double[contexts.length];
    double[] sharpness = new double[contexts.length];
    for (int c = 0; c < contexts.length; c++) {
      seconds.add(new ArrayList<>());
    }
    for (int p = 0; p < pictures.size(); p++) {
      BufferedImage original = pictures.get(p);
      double sharpest = PictureMetrics.sharpness(original.getSubimage(from, from, side, side));
      BufferedImage all = original;
      for (int i = 0; i <= repetitions; i++) {
        for (int c = 0; c < contexts.length; c++) {
          ImageRequest request =
              request(PROMPTS.get(p), sampler.getValue())
                  .withSeed(7)
                  .withImage(SourceImage.of(original), 1)
                  .withMask(new Inpainting(mask, 0, contexts[c]));
          GeneratedImages images = pipeline.generate(request);
          if (i > 0) {
            seconds.get(c).add(images.timings().denoise().toNanos() / 1e9);
            continue;
          }
          BufferedImage drawn = images.bufferedImage(0);
          all = contexts[c] == Context.ALL ? drawn : all;
          toOriginal[c] +=
              PictureMetrics.blockError(drawn, original, from, from, side, side) / pictures.size();
          toAll[c] +=
              PictureMetrics.blockError(drawn, all, from, from, side, side) / pictures.size();
          sharpness[c] +=
              PictureMetrics.sharpness(drawn.getSubimage(from, from, side, side))
                  / sharpest
                  / pictures.size();
        }
      }
    }
    for (int c = 0; c < contexts.length; c++) {
      print(mask, side, sampler.getKey(), contexts[c], seconds.get(c));
      out.printf(
          Locale.ROOT,
          " %.1f | %s | %.0f %% |%n",
          PictureMetrics.psnr(toOriginal[c]),
          toAll[c] == 0
              ? "equal"
              : String.format(Locale.ROOT, "%.1f", PictureMetrics.psnr(toAll[c])),
          100 * sharpness[c]);
    }
  }

  private void print(
      SourceImage mask, int side, String sampler, Context context, List<Double> seconds) {
    ImageRequest any = request("", samplers.get("Euler " + STEPS));
    int seen = 0;
    for (boolean token : new Inpainting(mask, 0, context).seenTokens(any.grid())) {
      seen += token ? 1 : 0;
    }
    out.printf(
        Locale.ROOT,
        "| %.0f %% | %s | %s | %d of %d | %.2f | %.2f, %.2f |",
        100.0 * side * side / sizePx / sizePx,
        sampler,
        context.name().toLowerCase(Locale.ROOT),
        seen,
        any.grid().tokens(),
        Amounts.median(seconds),
        seconds.stream().mapToDouble(s -> s).min().orElseThrow(),
        seconds.stream().mapToDouble(s -> s).max().orElseThrow());
  }

  /** White in a square. */
  private SourceImage square(int from, int side) {
    BufferedImage image = new BufferedImage(sizePx, sizePx, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < side * side; i++) {
      image.setRGB(from + i % side, from + i / side, 0xffffff);
    }
    return SourceImage.of(image);
  }

  /** One pass and two at the same size, all phases together. */
  private void passes() {
    out.printf("| %d px | sampler | s, median | least, most | sharpness, per mille |%n", sizePx);
    out.println("|---|---|---|---|---|");
    for (Map.Entry<String, Sampler> sampler : samplers.entrySet()) {
      List<List<Double>> seconds = new ArrayList<>();
      double[] sharpness = new double[1 + STRENGTHS.length];
      for (int way = 0; way <= STRENGTHS.length; way++) {
        seconds.add(new ArrayList<>());
      }
      for (int i = 0; i <= repetitions; i++) {
        for (String prompt : PROMPTS) {
          for (int way = 0; way <= STRENGTHS.length; way++) {
            ImageRequest one = request(prompt, sampler.getValue());
            long start = System.nanoTime();
            GeneratedImages images =
                pipeline.generate(way == 0 ? one : one.withSecondPass(STRENGTHS[way - 1]));
            if (i > 0) {
              seconds.get(way).add((System.nanoTime() - start) / 1e9);
              continue;
            }
            sharpness[way] +=
                1000 * PictureMetrics.sharpness(images.bufferedImage(0)) / PROMPTS.size();
          }
        }
      }
      for (int way = 0; way <= STRENGTHS.length; way++) {
        out.printf(
            Locale.ROOT,
            "| %s | %s | %.2f | %.2f, %.2f | %.1f |%n",
            way == 0 ? "one pass" : "two passes, strength " + STRENGTHS[way - 1],
            sampler.getKey(),
            Amounts.median(seconds.get(way)),
            seconds.get(way).stream().mapToDouble(s -> s).min().orElseThrow(),
            seconds.get(way).stream().mapToDouble(s -> s).max().orElseThrow(),
            sharpness[way]);
      }
    }
  }

  /** From the estimate to the picture, which the pipeline makes in between. */
  private void previews() {
    out.println("| px | preview ms, median | least, most | first one, with the fit, s |");
    out.println("|---|---|---|---|");
    for (int size = sizePx; size >= sizePx / 4; size /= 2) {
      Stopwatch watch = new Stopwatch();
      ImageRequest request =
          request(PROMPTS.get(0), new EulerSampler(pipeline.schedule(), 5 + repetitions))
              .withSize(size, size);
      long start = System.nanoTime();
      pipeline.generate(request.withListener(watch));
      double all = (System.nanoTime() - start) / 1e9;
      start = System.nanoTime();
      pipeline.generate(request);
      double without = (System.nanoTime() - start) / 1e9;
      List<Double> warm = watch.milliseconds.subList(5, watch.milliseconds.size());
      out.printf(
          Locale.ROOT,
          "| %d | %.3f | %.3f, %.3f | %s |%n",
          size,
          Amounts.median(warm),
          warm.stream().mapToDouble(ms -> ms).min().orElseThrow(),
          warm.stream().mapToDouble(ms -> ms).max().orElseThrow(),
          size == sizePx ? String.format(Locale.ROOT, "%.1f", all - without) : "");
    }
  }

  /** Hears of the estimate just before its preview is made. */
  private static final class Stopwatch implements PreviewListener {
    private final List<Double> milliseconds = new ArrayList<>();
    private long start;

    @Override
    public void onEstimate(int step, NDArray estimate) {
      start = System.nanoTime();
    }

    @Override
    public void onPreview(int step, BufferedImage preview) {
      milliseconds.add((System.nanoTime() - start) / 1e6);
    }
  }
}
