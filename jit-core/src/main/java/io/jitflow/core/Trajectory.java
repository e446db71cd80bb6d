package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.util.NativeResource;
import io.jitflow.core.token.TokenSubset;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CancellationException;

/**
 * The state of one run: y, the noise levels, the clock. What every sampler does alike is done here,
 * so that a step over all tokens is the same in each, bit for bit.
 */
public final class Trajectory implements AutoCloseable {
  private final VelocityModel model;
  private final SamplingRequest request;
  private final double[] sigmas;
  private final int stages;
  private final NDManager manager;
  private final NDArray state;
  private final long start = System.nanoTime();
  private Duration modelTime = Duration.ZERO;

  /**
   * Begins a run.
   *
   * @param model the model
   * @param request noise, grid, listener
   * @param sigmas the noise levels
   * @param stages the number of stages, for the listener
   */
  public Trajectory(VelocityModel model, SamplingRequest request, double[] sigmas, int stages) {
    this.model = Objects.requireNonNull(model, "model");
    this.request = request;
    this.sigmas = sigmas;
    this.stages = stages;
    request.checkOpen();
    this.manager = request.noise().getManager().newSubManager();
    this.state = request.noise().duplicate();
    state.attach(manager);
  }

  /**
   * Returns a noise level.
   *
   * @param i the step
   * @return sigma
   */
  public double sigma(int i) {
    return sigmas[i];
  }

  /**
   * Returns the request.
   *
   * @return the request
   */
  public SamplingRequest request() {
    return request;
  }

  /**
   * Returns the owner of what lives for the run.
   *
   * @return the manager
   */
  public NDManager manager() {
    return manager;
  }

  /**
   * Puts a set of tokens on the device; the caller closes it.
   *
   * @param subset the tokens
   * @return their places; the caller closes them
   */
  public ActiveTokens activate(TokenSubset subset) {
    return new ActiveTokens(manager, subset);
  }

  /**
   * Opens the manager of everything that step i makes.
   *
   * @param i the step
   * @return the owner of what the step makes
   */
  public NDManager beginStep(int i) {
    if (request.listener().isCancelled()) {
      throw new CancellationException(
          "sampling was cancelled before step %d of %d".formatted(i, sigmas.length - 1));
    }
    return manager.newSubManager();
  }

  /**
   * Selects the active tokens of y, S_k^T y. All tokens are y itself, borrowed by the step.
   *
   * @param active which
   * @param step the owner
   * @return {@code [B, m, d]}
   */
  public NDArray tokens(ActiveTokens active, NDManager step) {
    if (active.subset().isFull()) {
      step.tempAttachAll(state);
      return state;
    }
    return active.select(state, step);
  }

  /**
   * Evaluates the model at the active tokens and refuses what no sampler could use.
   *
   * @param active which tokens
   * @param step the owner
   * @param i the step
   * @return the velocity {@code [B, m, d]}
   */
  public NDArray evaluate(ActiveTokens active, NDManager step, int i) {
    NDArray tokens = tokens(active, step);
    long before = System.nanoTime();
    NDArray velocity = model.velocity(tokens, active, sigmas[i]);
    check(velocity, tokens, i);
    modelTime = Duration.ofNanos(System.nanoTime() - before);
    NDArray owned = owned(velocity, step);
    if (tokens != state && tokens != owned) {
      tokens.close();
    }
    return owned;
  }

  /**
   * What is computed from an array belongs to its manager, so a foreign array is seen as a view.
   */
  private static NDArray owned(NDArray velocity, NDManager step) {
    if (velocity.getManager() == step) {
      return velocity;
    }
    NDArray view = velocity.reshape(velocity.getShape());
    view.attach(step);
    return view;
  }

  private void check(NDArray velocity, NDArray tokens, int i) {
    if (velocity == null) {
      throw new IllegalStateException("the model returned null at %s".formatted(at(i)));
    }
    if (velocity instanceof NativeResource<?> resource && resource.isReleased()) {
      throw new IllegalStateException(
          "the model returned an array that is closed already at %s; attach it to the manager of the tokens"
              .formatted(at(i)));
    }
    if (!velocity.getShape().equals(tokens.getShape())
        || velocity.getDataType() != DataType.FLOAT32) {
      throw new IllegalStateException(
          "the model must return velocities of the shape and type of the tokens it is given, %s FLOAT32, but returned %s %s at %s"
              .formatted(
                  tokens.getShape(), velocity.getShape(), velocity.getDataType().name(), at(i)));
    }
    // one number tells: a sum is finite only if every summand is; if it overflows, the count tells
    try (NDArray sum = velocity.sum()) {
      if (Float.isFinite(sum.getFloat())) {
        return;
      }
    }
    int nans = 0;
    int infinites = 0;
    for (float value : velocity.toFloatArray()) {
      nans += Float.isNaN(value) ? 1 : 0;
      infinites += Float.isInfinite(value) ? 1 : 0;
    }
    if (nans + infinites > 0) {
      throw new IllegalStateException(
          "the model returned %d NaN and %d infinite of %d velocities at %s"
              .formatted(nans, infinites, velocity.getShape().size(), at(i)));
    }
  }

  private String at(int i) {
    return "step %d of %d (sigma %s)".formatted(i, sigmas.length - 1, sigmas[i]);
  }

  /**
   * {@code y += (sigma_{i+1} - sigma_i) v}.
   *
   * @param velocity {@code [B, N, d]}
   * @param i the step
   */
  public void eulerStep(NDArray velocity, int i) {
    try (NDArray change = velocity.mul((float) (sigmas[i + 1] - sigmas[i]))) {
      state.addi(change);
    }
  }

  /**
   * Reads y at some rows of [B * N, d].
   *
   * @param rows which
   * @param owner of the result
   * @return the rows
   */
  public NDArray rows(NDArray rows, NDManager owner) {
    return rows(state, rows, owner);
  }

  /**
   * Reads all tokens [B, N, d] at some rows of [B * N, d].
   *
   * @param tokens all
   * @param rows which
   * @param owner of the result
   * @return the rows
   */
  public static NDArray rows(NDArray tokens, NDArray rows, NDManager owner) {
    try (NDArray flat = tokens.reshape(-1, tokens.getShape().get(2))) {
      return flat.get(owner, new NDIndex("{}", rows));
    }
  }

  /**
   * Writes y at some rows of [B * N, d].
   *
   * @param rows which
   * @param values their new values
   */
  public void setRows(NDArray rows, NDArray values) {
    try (NDArray flat = state.reshape(-1, state.getShape().get(2))) {
      flat.set(new NDIndex("{}", rows), values);
    }
  }

  /**
   * Tells the listener.
   *
   * @param i the step
   * @param stage its stage
   * @param active its tokens
   */
  public void endStep(int i, int stage, TokenSubset active) {
    Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
    request
        .listener()
        .onStep(
            new SamplingStep(
                i, sigmas.length - 1, sigmas[i], stage, stages, active, elapsed, modelTime));
  }

  /**
   * Hands y to the caller.
   *
   * @return y, owned by the manager of the noise
   */
  public NDArray finish() {
    state.attach(request.noise().getManager());
    return state;
  }

  /**
   * The state y, borrowed.
   *
   * @return y, borrowed
   */
  public NDArray state() {
    return state;
  }

  @Override
  public void close() {
    manager.close();
  }
}
