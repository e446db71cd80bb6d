package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.jit.JitConfig.Activation;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import java.awt.image.BufferedImage;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Samplers in exact worlds: the Frechet distance of what they draw to what they should draw. */
public final class ExactBenchmark {
  /** FLUX.1-dev's noise levels at 4,096 tokens, whatever the size of the world. */
  public static final SigmaSchedule STANDARD =
      new SigmaSchedule.DynamicShift(1.15, 1.15, 256, 4096);

  private ExactBenchmark() {}

  /**
   * Prints a Markdown table.
   *
   * @param out where to print
   * @param grid the size of the worlds
   * @param samplers its rows; tokens of JiT join by an even spread, since importance would depend
   *     on the noise
   * @return cost and distance in the world of slope 2.5, by method, for {@link #chart}
   */
  public static Map<String, List<QualityChart.Point>> run(
      PrintWriter out, TokenGrid grid, List<NamedSampler> samplers) {
    out.printf(
        Locale.ROOT, "Frechet distance per token to the world's own pictures, %s tokens%n%n", grid);
    out.println("| sampler | cost, full forwards | alpha 2 | alpha 2.5 | alpha 3 |");
    out.println("|---|---|---|---|---|");
    Map<String, List<QualityChart.Point>> lines = new LinkedHashMap<>();
    try (NDManager manager = NDManager.newBaseManager()) {
      List<ExactWorld> worlds = ExactWorld.worlds(manager, grid);
      for (NamedSampler row : samplers) {
        Sampler sampler = linear(row.sampler());
        double cost = cost(grid, sampler);
        double[] frechet = worlds.stream().mapToDouble(world -> world.frechet(sampler)).toArray();
        out.printf(
            Locale.ROOT,
            "| %s | %.2f | %.5f | %.5f | %.5f |%n",
            row.name(),
            cost,
            frechet[0],
            frechet[1],
            frechet[2]);
        out.flush();
        lines
            .computeIfAbsent(row.method(), name -> new ArrayList<>())
            .add(new QualityChart.Point(cost, frechet[1]));
      }
    }
    return lines;
  }

  /**
   * Draws what {@link #run} returned.
   *
   * @param grid the size of the world
   * @param lines at least one point
   */
  public static BufferedImage chart(TokenGrid grid, Map<String, List<QualityChart.Point>> lines) {
    return QualityChart.draw(
        "Exact world of slope 2.5, %s tokens".formatted(grid),
        "Frechet distance per token",
        QualityChart.Axis.LOGARITHMIC,
        lines);
  }

  /** Evaluated tokens of a run by the tokens of the grid. */
  public static double cost(TokenGrid grid, Sampler sampler) {
    double[] tokens = {0};
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray noise = manager.ones(new Shape(1, grid.tokens(), 1));
      SamplingRequest request =
          SamplingRequest.of(noise, grid)
              .withTransitionNoise(noise)
              .withListener(step -> tokens[0] += step.active().count());
      // any velocity that is not along the state
      sampler.sample((y, at, sigma) -> at.positions().get(":, :, 1:2"), request);
    }
    return tokens[0] / grid.tokens();
  }

  /** Settings whose anchors depend on nothing but the grid. */
  public static Sampler linear(Sampler sampler) {
    return sampler instanceof JitSampler jit
        ? new JitSampler(jit.config().withActivation(Activation.EVEN_SPREAD))
        : sampler;
  }
}
