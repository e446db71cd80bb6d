package io.jitflow.examples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;

/**
 * The sampler without FLUX: any flow-matching model that can be evaluated on a subset of its
 * tokens.
 *
 * <p>The model here knows its answer in closed form: the data are a smooth ramp over the grid and,
 * on every token, independent Gaussian detail. A sampler without any error would make {@code ramp +
 * DETAIL * noise} of its noise. A real model would be a transformer, which gets the same three
 * arguments.
 */
public final class SamplerOnYourOwnModel {

  private static final int ROWS = 32;
  private static final int COLS = 48;
  private static final int CHANNELS = 4;
  private static final double DETAIL = 0.25;

  private SamplerOnYourOwnModel() {}

  /**
   * Samples once and prints how far the result is from the picture.
   *
   * @param args none
   */
  public static void main(String[] args) {
    System.out.printf("root mean square error: %.4f%n", error(SamplerOnYourOwnModel::velocity));
  }

  /** Tokens [1, m, 4], at.positions() [1, m, 3] = (frame, row, column), sigma in (0, 1]. */
  static NDArray velocity(NDArray tokens, ActiveTokens at, double sigma) {
    double signal = 1 - sigma;
    double variance = signal * signal * DETAIL * DETAIL + sigma * sigma;
    NDArray ramp = ramp(at.positions());
    NDArray detail = tokens.sub(ramp.mul(signal)).mul(signal * DETAIL * DETAIL / variance);
    NDArray clean = ramp.add(detail); // the mean of all data that could lie behind these tokens
    return tokens.sub(clean).div((float) sigma);
  }

  static double error(VelocityModel model) {
    TokenGrid grid = new TokenGrid(ROWS, COLS);
    try (NDManager manager = NDManager.newBaseManager()) {
      SamplingRequest request =
          SamplingRequest.seeded(manager, grid, CHANNELS, 42L)
              .withListener(
                  step ->
                      System.out.printf(
                          "step %2d: sigma %.3f, %d of %d tokens%n",
                          step.step() + 1, step.sigma(), step.active().count(), grid.tokens()));

      NDArray latents = JitSampler.forSpeedup(7).sample(model, request);

      NDArray exact = ramp(allPositions(manager)).add(request.noise().mul(DETAIL));
      return Math.sqrt(latents.sub(exact).square().mean().getFloat());
    }
  }

  /** The ramp at the given places: [1, m, 3] to [1, m, 4]. */
  private static NDArray ramp(NDArray positions) {
    NDArray ramp = positions.get(":, :, 1:2").div(ROWS).add(positions.get(":, :, 2:3").div(COLS));
    return ramp.repeat(2, CHANNELS);
  }

  private static NDArray allPositions(NDManager manager) {
    NDArray tokens = manager.arange(ROWS * COLS).reshape(1, ROWS * COLS, 1);
    NDArray cols = tokens.mod(COLS);
    NDArray rows = tokens.sub(cols).div(COLS);
    return tokens.zerosLike().concat(rows, 2).concat(cols, 2).toType(DataType.FLOAT32, false);
  }
}
