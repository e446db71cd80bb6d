package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.Trajectory;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;

/**
 * A baseline: the first steps at half the rows and columns, the rest on the whole grid, both with
 * {@link Solver#ADAMS_BASHFORTH_2}.
 *
 * <p>The small grid has its own positions and begins at the noise averaged over 2 x 2 tokens, times
 * 2 for unit variance. At the change the clean estimate x grows bilinearly, and the run goes on at
 * {@code (1 - sigma) x + sigma eps} with the full grid's own noise and the velocity history {@code
 * eps - x}.
 *
 * @param schedule the noise levels
 * @param lowSteps steps on the small grid, at least 1
 * @param fullSteps steps on the whole grid, at least 1
 */
public record LowResolutionFirst(SigmaSchedule schedule, int lowSteps, int fullSteps)
    implements Sampler {

  @Override
  public int steps() {
    return lowSteps + fullSteps;
  }

  @Override
  public boolean usesTransitionNoise() {
    return false;
  }

  @Override
  public void check(TokenGrid grid) {
    if (grid.rows() % 2 != 0 || grid.cols() % 2 != 0) {
      throw new IllegalArgumentException(
          "low resolution first needs an even number of rows and columns, got "
              + grid
              + "; take sides that are multiples of 32 px, or leave it out");
    }
  }

  @Override
  public double[] sigmas(TokenGrid grid) {
    return Arrays.copyOf(schedule.sigmas(steps(), grid.tokens()), steps());
  }

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    TokenGrid grid = request.grid();
    check(grid);
    double[] sigmas = schedule.sigmas(steps(), grid.tokens());
    TokenGrid half = new TokenGrid(grid.rows() / 2, grid.cols() / 2);
    try (NDManager run = request.noise().getManager().newSubManager()) {
      run.tempAttachAll(request.noise());
      SamplingRequest small =
          SamplingRequest.of(shrunk(request.noise(), grid), half)
              .withListener(new Shifted(request.listener(), 0, steps(), 0));
      NDArray[] clean = new NDArray[1];
      integrate(model, small, Arrays.copyOf(sigmas, lowSteps + 1), lowSteps, null, clean);
      NDArray grown = grown(clean[0], half);
      double sigma = sigmas[lowSteps];
      NDArray start = grown.mul(1 - sigma).add(request.noise().mul(sigma));
      SamplingRequest full =
          SamplingRequest.of(start, grid)
              .withListener(new Shifted(request.listener(), lowSteps, steps(), 1));
      double[] rest = Arrays.copyOfRange(sigmas, lowSteps, sigmas.length);
      NDArray latents =
          integrate(model, full, rest, fullSteps, request.noise().sub(grown), new NDArray[1]);
      latents.attach(run.getParentManager());
      return latents;
    }
  }

  private static NDArray integrate(
      VelocityModel model,
      SamplingRequest request,
      double[] sigmas,
      int steps,
      NDArray history,
      NDArray[] clean) {
    TokenSubset everyToken = TokenSubset.all(request.grid(), request.samples());
    try (Trajectory path = new Trajectory(model, request, sigmas, Solver.ADAMS_BASHFORTH_2);
        ActiveTokens all = path.activate(everyToken)) {
      if (history != null) {
        path.remember(history);
      }
      for (int i = 0; i < steps; i++) {
        try (Trajectory.Step step = path.begin(i)) {
          NDArray velocity = step.evaluate(all);
          if (i == steps - 1) {
            clean[0] = step.cleanEstimate();
            clean[0].attach(request.noise().getManager());
          }
          step.advance(velocity);
        }
        path.report(i, everyToken);
      }
      return path.finish();
    }
  }

  /** [B, N, d] to [B, N/4, d]: sums of 2 x 2 tokens by 2, of unit variance for white noise. */
  private static NDArray shrunk(NDArray tokens, TokenGrid grid) {
    Shape shape = tokens.getShape();
    return tokens
        .reshape(shape.get(0), grid.rows() / 2, 2, grid.cols() / 2, 2, shape.get(2))
        .sum(new int[] {2, 4})
        .div(2)
        .reshape(shape.get(0), grid.tokens() / 4, shape.get(2));
  }

  /** [B, N/4, d] to [B, N, d], bilinear with cell centres, the border repeated. */
  private static NDArray grown(NDArray tokens, TokenGrid half) {
    Shape shape = tokens.getShape();
    NDArray image = tokens.reshape(shape.get(0), half.rows(), half.cols(), shape.get(2));
    NDArray tall = doubled(image, 1, half.rows());
    return doubled(tall, 2, half.cols()).reshape(shape.get(0), 4L * half.tokens(), shape.get(2));
  }

  private static NDArray doubled(NDArray image, int axis, int size) {
    NDArray before = shifted(image, axis, size, -1);
    NDArray after = shifted(image, axis, size, 1);
    NDArray near = image.mul(0.75);
    NDArray even = near.add(before.mul(0.25));
    NDArray odd = near.add(after.mul(0.25));
    NDArray both = NDArrays.stack(new NDList(even, odd), axis + 1);
    Shape shape = image.getShape();
    long[] sides = shape.getShape().clone();
    sides[axis] *= 2;
    return both.reshape(new Shape(sides));
  }

  private static NDArray shifted(NDArray image, int axis, int size, int by) {
    int[] places = new int[size];
    Arrays.setAll(places, i -> Math.min(size - 1, Math.max(0, i + by)));
    NDArray index = image.getManager().create(Arrays.stream(places).asLongStream().toArray());
    return axis == 1
        ? image.get(new NDIndex(":, {}", index))
        : image.get(new NDIndex(":, :, {}", index));
  }

  /** Passes steps on as those of one run of two stages. */
  private record Shifted(SamplingListener listener, int first, int steps, int stage)
      implements SamplingListener {
    @Override
    public void onStep(SamplingStep step) {
      listener.onStep(
          new SamplingStep(
              first + step.step(),
              steps,
              step.sigma(),
              stage,
              2,
              step.active(),
              step.elapsed(),
              step.modelTime()));
    }

    @Override
    public boolean isCancelled() {
      return listener.isCancelled();
    }
  }
}
