package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.Solver;
import io.jitflow.core.Trajectory;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitConfig.FirstAnchors;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.jit.Stage;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;

/**
 * What a sparse context costs a network, by noise level: a sampler of second order that stops at
 * some steps and asks the model again with anchors only.
 *
 * <p>All figures are root mean squares of differences of clean estimates, per latent value.
 * <i>Undetermined</i>: the estimate from all tokens against the result; what the model cannot know
 * yet. <i>Context</i>: at the anchors, the estimate from the anchors alone against that from all
 * tokens. <i>Interpolation</i>: at the other tokens, the interpolated estimate against that from
 * all tokens. <i>Time step</i>: what one step of a tenth of the run loses, of first and of second
 * order, as the error of an estimate that would lose as much in that step.
 *
 * <p>A stage pays as long as its context costs less than what is undetermined anyway: where the two
 * cross, it should end. The anchors are spread evenly, as those of {@link JitConfig#forSpeedup}.
 * One instance measures one run after the other; not thread-safe.
 */
public final class ContextProbe implements Sampler {
  private static final int STEPS = 40;

  /** Steps apart of the noise levels that are measured, and a tenth of the run. */
  private static final int STRIDE = 4;

  private final SigmaSchedule schedule;
  private final double[] densities;
  private final List<Level> levels = new ArrayList<>();
  private int runs;

  /** Sums of squares at one noise level, over the runs. */
  private static final class Level {
    private double sigma;
    private double undetermined;
    private final double[] context;
    private final double[] interpolation;
    private double first;
    private double second;

    Level(int densities) {
      context = new double[densities];
      interpolation = new double[densities];
    }
  }

  /**
   * Prepares a probe.
   *
   * @param schedule the model's own noise levels
   * @param densities the densities to try, below 1
   */
  public ContextProbe(SigmaSchedule schedule, double... densities) {
    this.schedule = schedule;
    this.densities = densities.clone();
    for (int i = STRIDE; i < STEPS - STRIDE; i += STRIDE) {
      levels.add(new Level(densities.length));
    }
  }

  @Override
  public int steps() {
    return STEPS;
  }

  @Override
  public boolean usesTransitionNoise() {
    return false;
  }

  @Override
  public void check(TokenGrid grid) {
    for (double density : densities) {
      new JitSampler(anchors(density)).check(grid);
    }
  }

  private static JitConfig anchors(double density) {
    return JitConfig.of(2, new Stage(0.5, density), new Stage(1, 1))
        .withFirstAnchors(FirstAnchors.EVEN_SPREAD);
  }

  @Override
  public double[] sigmas(TokenGrid grid) {
    return Arrays.copyOf(schedule.sigmas(STEPS, grid.tokens()), STEPS);
  }

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    double[] sigmas = schedule.sigmas(STEPS, request.grid().tokens());
    TokenSubset everyToken = TokenSubset.all(request.grid(), request.samples());
    float[][] states = new float[STEPS + 1][];
    float[][] velocities = new float[STEPS][];
    try (Trajectory path = new Trajectory(model, request, sigmas, Solver.ADAMS_BASHFORTH_2);
        ActiveTokens all = path.activate(everyToken)) {
      for (int i = 0; i < STEPS; i++) {
        states[i] = path.state().toFloatArray();
        try (Trajectory.Step step = path.begin(i)) {
          NDArray velocity = step.evaluate(all);
          velocities[i] = velocity.toFloatArray();
          if (isMeasured(i)) {
            measureContext(model, request, path, sigmas[i], velocities[i], i);
          }
          step.advance(velocity);
        }
        path.report(i, everyToken);
      }
      states[STEPS] = path.state().toFloatArray();
      for (int i = 0; i < STEPS; i++) {
        if (isMeasured(i)) {
          measureTime(sigmas, states, velocities, i);
        }
      }
      runs++;
      return path.finish();
    }
  }

  private static boolean isMeasured(int i) {
    return i % STRIDE == 0 && i >= STRIDE && i < STEPS - STRIDE;
  }

  private Level level(int i) {
    return levels.get(i / STRIDE - 1);
  }

  private void measureContext(
      VelocityModel model,
      SamplingRequest request,
      Trajectory path,
      double sigma,
      float[] velocity,
      int i) {
    Level level = level(i);
    level.sigma = sigma;
    float[] y = path.state().toFloatArray();
    int channels = (int) path.state().getShape().get(2);
    for (int k = 0; k < densities.length; k++) {
      Estimate sparse = new Estimate();
      JitConfig once =
          anchors(densities[k]).withSchedule(SigmaSchedule.custom(sigma, sigma / 2, 0));
      // two steps, of which the first tells the estimate and is the last
      SamplingRequest here = SamplingRequest.of(path.state(), request.grid()).withListener(sparse);
      VelocityModel recording =
          (tokens, at, s) -> {
            sparse.tokens = at.subset();
            return model.velocity(tokens, at, s);
          };
      try {
        new JitSampler(once).sample(recording, here).close();
      } catch (CancellationException expected) {
        // by the estimate's listener
      }
      int tokens = request.grid().tokens();
      double[] sums = new double[2];
      int[] counts = new int[2];
      for (int b = 0; b < request.samples(); b++) {
        boolean[] anchors = sparse.tokens.mask(b);
        for (int token = 0; token < tokens; token++) {
          int part = anchors[token] ? 0 : 1;
          for (int c = 0; c < channels; c++) {
            int at = (b * tokens + token) * channels + c;
            double full = y[at] - sigma * velocity[at];
            sums[part] += square(sparse.values[at] - full);
            counts[part]++;
          }
        }
      }
      level.context[k] += sums[0] / counts[0];
      level.interpolation[k] += sums[1] / counts[1];
    }
  }

  private void measureTime(double[] sigmas, float[][] states, float[][] velocities, int i) {
    Level level = level(i);
    float[] y = states[i];
    float[] v = velocities[i];
    float[] before = velocities[i - STRIDE];
    float[] after = states[i + STRIDE];
    float[] result = states[STEPS];
    double h = sigmas[i + STRIDE] - sigmas[i];
    double r = h / (sigmas[i] - sigmas[i - STRIDE]);
    // an estimate's error enters the state times h / sigma
    double squareOfStep = square(h / sigmas[i]);
    for (int at = 0; at < y.length; at++) {
      level.undetermined += square(y[at] - sigmas[i] * v[at] - result[at]) / y.length;
      level.first += square(y[at] + h * v[at] - after[at]) / squareOfStep / y.length;
      double second = (1 + r / 2) * v[at] - r / 2 * before[at];
      level.second += square(y[at] + h * second - after[at]) / squareOfStep / y.length;
    }
  }

  private static double square(double x) {
    return x * x;
  }

  /** Takes the clean estimate of the first step and ends the run. */
  private static final class Estimate implements SamplingListener {
    private TokenSubset tokens;
    private float[] values;

    @Override
    public void onStep(SamplingStep step) {
      // the estimate is all
    }

    @Override
    public boolean wantsEstimate(int step) {
      return true;
    }

    @Override
    public void onEstimate(int step, NDArray estimate) {
      values = estimate.toFloatArray();
    }

    @Override
    public boolean isCancelled() {
      return values != null;
    }
  }

  /** Prints a Markdown table and where stages of each density should end. */
  public void print(PrintWriter out) {
    StringBuilder head = new StringBuilder("| sigma | undetermined |");
    for (double density : densities) {
      head.append(
          String.format(Locale.ROOT, " context, %.2f | interpolation, %.2f |", density, density));
    }
    out.println(head + " time step, first order | second order |");
    out.println("|---".repeat(4 + 2 * densities.length) + "|");
    for (Level level : levels) {
      StringBuilder row = new StringBuilder();
      row.append(
          String.format(Locale.ROOT, "| %.3f | %.3f |", level.sigma, rms(level.undetermined)));
      for (int k = 0; k < densities.length; k++) {
        row.append(
            String.format(
                Locale.ROOT, " %.3f | %.3f |", rms(level.context[k]), rms(level.interpolation[k])));
      }
      out.printf(Locale.ROOT, "%s %.3f | %.3f |%n", row, rms(level.first), rms(level.second));
    }
    out.println();
    for (int k = 0; k < densities.length; k++) {
      out.printf(
          Locale.ROOT,
          "A stage of density %.2f pays down to a noise level of about %.2f.%n",
          densities[k],
          end(k));
    }
    out.flush();
  }

  private double rms(double sum) {
    return Math.sqrt(sum / runs);
  }

  /** The noise level at which the context begins to cost more than what is undetermined anyway. */
  private double end(int k) {
    double end = 1;
    for (int i = 0; i < levels.size(); i++) {
      Level level = levels.get(i);
      double excess = rms(level.context[k]) - rms(level.undetermined);
      if (excess > 0) {
        if (i == 0) {
          return end;
        }
        Level above = levels.get(i - 1);
        double room = rms(above.undetermined) - rms(above.context[k]);
        return above.sigma + (level.sigma - above.sigma) * room / (room + excess);
      }
      end = level.sigma;
    }
    return end;
  }
}
