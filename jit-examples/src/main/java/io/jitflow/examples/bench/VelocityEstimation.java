package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.Trajectory;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.ArrayList;
import java.util.List;

/**
 * A baseline: many Euler steps, of which few call the model; in between the velocity is estimated
 * from those that did, as in VDE (Tan and others, arXiv 2605.23381). The part of the velocity along
 * the state, and the length of the part across it, are extrapolated linearly in sigma; the
 * direction across is that of the last call, made orthogonal to the present state.
 *
 * @param schedule the noise levels
 * @param steps the number of Euler steps
 * @param evaluations how many of them call the model: the first two, then evenly spread; at least 2
 */
public record VelocityEstimation(SigmaSchedule schedule, int steps, int evaluations)
    implements Sampler {

  @Override
  public boolean usesTransitionNoise() {
    return false;
  }

  /** The steps that call the model. */
  List<Integer> calls() {
    List<Integer> calls = new ArrayList<>();
    calls.add(0);
    for (int k = 0; k < evaluations - 1; k++) {
      calls.add(1 + k * (steps - 1) / (evaluations - 1));
    }
    return calls;
  }

  @Override
  public double[] sigmas(TokenGrid grid) {
    double[] sigmas = schedule.sigmas(steps, grid.tokens());
    return calls().stream().mapToDouble(i -> sigmas[i]).toArray();
  }

  /** A velocity apart: along the state, across it, and the direction across, per sample. */
  private record Parts(double sigma, NDArray along, NDArray across, NDArray direction) {}

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    double[] sigmas = schedule.sigmas(steps, request.grid().tokens());
    List<Integer> calls = calls();
    TokenSubset everyToken = TokenSubset.all(request.grid(), request.samples());
    try (Trajectory path = new Trajectory(model, request, sigmas, Solver.EULER);
        NDManager memory = path.manager().newSubManager();
        ActiveTokens all = path.activate(everyToken)) {
      Parts last = null;
      Parts before = null;
      for (int i = 0; i < steps; i++) {
        boolean called = calls.contains(i);
        try (Trajectory.Step step = path.begin(i)) {
          NDArray velocity;
          if (called) {
            velocity = step.evaluate(all);
            before = last;
            last = apart(path.state(), velocity, sigmas[i], memory);
          } else {
            velocity = estimate(path.state(), last, before, sigmas[i], step.manager());
          }
          step.advance(velocity);
        }
        if (called) {
          path.report(i, everyToken);
        }
      }
      return path.finish();
    }
  }

  private static NDArray dot(NDArray a, NDArray b) {
    return a.mul(b).sum(new int[] {1, 2}, true);
  }

  private static Parts apart(NDArray y, NDArray v, double sigma, NDManager memory) {
    try (NDManager scratch = memory.newSubManager()) {
      scratch.tempAttachAll(y, v);
      NDArray along = dot(v, y).div(dot(y, y));
      NDArray across = v.sub(y.mul(along));
      NDArray length = dot(across, across).sqrt();
      NDArray direction = across.div(length);
      along.attach(memory);
      length.attach(memory);
      direction.attach(memory);
      return new Parts(sigma, along, length, direction);
    }
  }

  private static NDArray estimate(
      NDArray y, Parts last, Parts before, double sigma, NDManager owner) {
    double reach = (sigma - last.sigma) / (last.sigma - before.sigma);
    try (NDManager scratch = owner.newSubManager()) {
      scratch.tempAttachAll(y, last.along, last.across, last.direction);
      scratch.tempAttachAll(before.along, before.across);
      NDArray along = last.along.add(last.along.sub(before.along).mul(reach));
      NDArray length = last.across.add(last.across.sub(before.across).mul(reach));
      NDArray across = last.direction.sub(y.mul(dot(last.direction, y).div(dot(y, y))));
      NDArray unit = across.div(dot(across, across).sqrt());
      NDArray velocity = y.mul(along).add(unit.mul(length));
      velocity.attach(owner);
      return velocity;
    }
  }
}
