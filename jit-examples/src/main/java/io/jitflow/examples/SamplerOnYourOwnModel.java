package io.jitflow.examples;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;

/**
 * The sampler without FLUX: any flow-matching model that can be evaluated on a subset of its
 * tokens.
 *
 * <p>The model here knows its answer in closed form: the data are one fixed picture, a smooth ramp
 * over the grid, so the velocity of a token at noise level sigma is {@code (y - picture) / sigma}.
 * A real model would be a transformer, which gets the same three arguments.
 */
public final class SamplerOnYourOwnModel {

  private static final int ROWS = 32;
  private static final int COLS = 48;
  private static final int CHANNELS = 4;

  private SamplerOnYourOwnModel() {}

  /**
   * Samples once and prints how far the result is from the picture.
   *
   * @param args none
   */
  public static void main(String[] args) {
    System.out.printf("largest error: %.6f%n", largestError());
  }

  static float largestError() {
    // tokens [1, m, 4], at.positions() [1, m, 3] = (frame, row, column), sigma in (0, 1]
    VelocityModel model =
        (tokens, at, sigma) -> tokens.sub(picture(at.positions())).div((float) sigma);

    TokenGrid grid = new TokenGrid(ROWS, COLS);
    try (NDManager manager = NDManager.newBaseManager()) {
      SamplingRequest request =
          SamplingRequest.seeded(manager, grid, CHANNELS, 42L)
              .withListener(
                  step ->
                      System.out.printf(
                          "step %2d: sigma %.3f, %d of %d tokens%n",
                          step.step() + 1, step.sigma(), step.active().count(), grid.tokens()));

      NDArray latents = JitSampler.preset7x().sample(model, request);

      return latents.sub(picture(allPositions(manager))).abs().max().getFloat();
    }
  }

  /** The ramp at the given places: [1, m, 3] to [1, m, 4]. */
  private static NDArray picture(NDArray positions) {
    NDArray ramp = positions.get(":, :, 1:2").div(ROWS).add(positions.get(":, :, 2:3").div(COLS));
    return ramp.repeat(2, CHANNELS);
  }

  private static NDArray allPositions(NDManager manager) {
    NDArray tokens = manager.arange(ROWS * COLS).reshape(1, ROWS * COLS, 1);
    NDArray cols = tokens.mod(COLS);
    NDArray rows = tokens.sub(cols).div(COLS);
    return tokens
        .zerosLike()
        .concat(rows, 2)
        .concat(cols, 2)
        .toType(ai.djl.ndarray.types.DataType.FLOAT32, false);
  }
}
