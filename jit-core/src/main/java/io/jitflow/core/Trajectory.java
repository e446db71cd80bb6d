package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenSubset;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The state of one run, and the base on which samplers are written: y, the noise levels, the clock,
 * the checks of what a model returns, cancelling, who owns which array, and one rule for a step.
 * What every sampler does alike is done here, so that a step over all tokens is the same in each,
 * bit for bit.
 *
 * <p>A sampler's loop, here that of {@link PlainSampler}:
 *
 * <pre>{@code
 * try (Trajectory path = new Trajectory(model, request, sigmas, solver);
 *     ActiveTokens all = path.activate(everyToken)) {
 *   for (int i = 0; i < path.steps(); i++) {
 *     try (Trajectory.Step step = path.begin(i)) {
 *       NDArray velocity = step.evaluate(all);
 *       step.offerEstimate(clean -> clean); // for listeners that want previews
 *       step.advance(velocity);
 *     }
 *     path.report(i, everyToken);
 *   }
 *   return path.finish();
 * }
 * }</pre>
 *
 * <p>A sampler that evaluates some tokens only calls {@link Step#evaluate} with those, and either
 * advances those alone, or all tokens along a velocity that it makes itself. One that changes the
 * set of tokens between steps gives the new ones a state ({@link ActiveTokens#write} on {@link
 * #state}) and, with a solver of second order, a velocity history ({@link #remember}). The noise
 * levels need not begin at 1 nor end at 0. With a mask ({@link SamplingRequest#withMask}) {@link
 * #report} puts back what it keeps, so it ends every step that another follows.
 *
 * <p>Owned by one run, used by one thread. Closing it frees whatever the run made, also after an
 * exception; only what {@link #finish} returned stays.
 */
/*
 * The solver. y follows dy/dsigma = v(y, sigma), so that over a step h = sigma_{i+1} - sigma_i < 0
 *   y_{i+1} = y_i + integral of v over the step.
 * Euler takes v_i for v, with an error of O(h^2) per step. Adams-Bashforth 2 takes the line through
 * v_i and the velocity of the step before, v_{i-1} = v(sigma_i - h_{i-1}):
 *   v(sigma_i + t) ~ v_i + t (v_i - v_{i-1}) / h_{i-1}
 *   y_{i+1} = y_i + h ((1 + r/2) v_i - (r/2) v_{i-1}),  r = h / h_{i-1},
 * with an error of O(h^3) (Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I",
 * III.5, on multistep methods with variable step size). It asks the model for nothing more. The
 * first step, and any other without a history, is Euler's.
 *
 * The rule against overshoot. The line is drawn h_{i-1} long and followed for h. Schedules of Beta
 * quantiles begin with steps that grow two to four times from one to the next, where the line says
 * little about so long a way, and the errors of several such steps add up. So r is taken as at most
 * 7/4. That keeps second order from being worse than first in every measured case, where an r of 2
 * did not, and leaves evenly growing steps alone; docs/quality.md has the figures, and those of
 * other rules. The step to sigma 0 needs no rule of its own: Euler there made every case worse.
 *
 * A step between equal noise levels (h = 0) moves nothing and leaves the history as it is.
 */
public final class Trajectory implements AutoCloseable {
  /** The longest step, in steps before it, over which a velocity is extrapolated in full. */
  private static final double LONGEST_REACH = 1.75;

  private final VelocityModel model;
  private final SamplingRequest request;
  private final double[] sigmas;
  private final Solver solver;
  private final NDManager manager;
  private final NDArray state;
  private final long start = System.nanoTime();
  private Duration modelTime = Duration.ZERO;

  /** The velocity of the step before at the active tokens, and that step's length; or null. */
  private @Nullable NDArray previous;

  private double previousLength;

  /** The noise level that the last step begun leads to, and the last one kept to the mask at. */
  private int reached;

  private int keptAt;

  /**
   * Begins a run at the request's noise.
   *
   * @param model the velocity model
   * @param request what to start from
   * @param sigmas the noise levels, one more than there are steps, never rising
   * @param solver how to step
   * @throws IllegalArgumentException if there are fewer than 2 noise levels, or they rise or are
   *     not finite
   * @throws IllegalStateException if an array of the request is closed
   */
  public Trajectory(VelocityModel model, SamplingRequest request, double[] sigmas, Solver solver) {
    this.model = Objects.requireNonNull(model, "model");
    this.request = Objects.requireNonNull(request, "request");
    this.solver = Objects.requireNonNull(solver, "solver");
    this.sigmas = sigmas.clone();
    Checks.argument(
        sigmas.length >= 2,
        "a run needs at least 2 noise levels (one step), got %d",
        sigmas.length);
    for (int i = 0; i < sigmas.length; i++) {
      Checks.argument(
          Double.isFinite(sigmas[i]) && (i == 0 || sigmas[i] <= sigmas[i - 1]),
          "noise levels must be finite and never rise, but level %d is %s%s",
          i,
          sigmas[i],
          i == 0 ? "" : " after " + sigmas[i - 1]);
    }
    request.checkOpen();
    this.manager = request.noise().getManager().newSubManager();
    NDArray noise = request.noise();
    this.state =
        contiguous(
            request
                .known()
                .map(clean -> noised(clean, 0))
                .orElseGet(() -> noise.reshape(noise.getShape())));
    state.attach(manager);
  }

  /**
   * A copy that lies in memory row by row, whatever the strides of the array, which is closed. Its
   * tokens can then be written through a reshaped view; of another array a reshape is a copy.
   */
  private static NDArray contiguous(NDArray array) {
    try (array;
        NDArray flat = array.reshape(-1);
        NDArray copy = flat.duplicate()) {
      return copy.reshape(array.getShape());
    }
  }

  /** Clean latents at noise level i, a new array. */
  private NDArray noised(NDArray clean, int i) {
    try (NDArray scaled = request.noise().mul((float) sigmas[i])) {
      return clean.mul((float) (1 - sigmas[i])).addi(scaled);
    }
  }

  /** Puts back what a mask keeps, at the noise level that a step has reached. */
  private void keepKnown(int i) {
    keptAt = i;
    if (request.mask().isEmpty()) {
      return;
    }
    NDArray mask = request.mask().get();
    try (NDArray known = noised(request.known().orElseThrow(), i);
        NDArray drawn = state.sub(known);
        NDArray change = drawn.muli(mask)) {
      state.muli(0).addi(known).addi(change);
    }
  }

  /**
   * Returns the number of steps.
   *
   * @return how many, at least 1
   */
  public int steps() {
    return sigmas.length - 1;
  }

  /**
   * Returns a noise level.
   *
   * @param i from 0 to {@link #steps()}
   * @return the sigma at which step i evaluates the model
   */
  public double sigma(int i) {
    return sigmas[i];
  }

  /**
   * Returns what the run started from.
   *
   * @return the request
   */
  public SamplingRequest request() {
    return request;
  }

  /**
   * Returns the owner of what lives as long as the run.
   *
   * @return a manager on the noise's device
   */
  public NDManager manager() {
    return manager;
  }

  /**
   * Returns y.
   *
   * @return {@code [B, N, d]}, contiguous, borrowed; it changes with every step
   */
  public NDArray state() {
    return state;
  }

  /**
   * Puts a set of tokens on the device. A set of every token is taken in grid order, whatever the
   * order of its lists.
   *
   * @param subset the tokens of every sample
   * @return the tokens, to be closed by the caller, or else with the run
   */
  public ActiveTokens activate(TokenSubset subset) {
    return new ActiveTokens(
        manager, subset.isFull() ? TokenSubset.all(subset.grid(), subset.samples()) : subset);
  }

  /**
   * Returns the velocity history of the tokens that advanced last.
   *
   * @return {@code [B, m, d]}, borrowed; empty with {@link Solver#EULER} and before the first step
   */
  public Optional<NDArray> history() {
    return Optional.ofNullable(previous);
  }

  /**
   * Replaces the velocity history, for another set or order of tokens. It counts as the velocity at
   * the noise level of the step before; without such a step, at the same distance as the next step.
   *
   * @param velocity {@code [B, m, d]} of the tokens of the next step; taken over
   */
  public void remember(NDArray velocity) {
    if (solver == Solver.EULER) {
      velocity.close();
      return;
    }
    NDArray old = previous;
    velocity.attach(manager);
    previous = velocity;
    if (old != null) {
      old.close();
    }
  }

  /**
   * Begins step i.
   *
   * @param i from 0 to {@code steps() - 1}, in ascending order
   * @return the step, to be closed when y has advanced
   * @throws IllegalArgumentException if there is no such step
   * @throws CancellationException if the listener cancels
   */
  public Step begin(int i) {
    Checks.range("step", i, 0, steps() - 1);
    if (request.listener().isCancelled()) {
      throw new CancellationException(
          "sampling was cancelled before step %d of %d".formatted(i, steps()));
    }
    reached = i + 1;
    return new Step(i);
  }

  /**
   * Puts back what the request's mask keeps and tells the listener that step i of a run without
   * stages is done.
   *
   * @param i the step
   * @param evaluated the tokens that the model evaluated
   */
  public void report(int i, TokenSubset evaluated) {
    report(i, 0, 1, evaluated);
  }

  /**
   * Puts back what the request's mask keeps, at the noise level that step i has reached, and tells
   * the listener that the step is done.
   *
   * @param i the step
   * @param stage its stage, from 0
   * @param stages the number of stages
   * @param evaluated the tokens that the model evaluated
   */
  public void report(int i, int stage, int stages, TokenSubset evaluated) {
    keepKnown(i + 1);
    Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
    request
        .listener()
        .onStep(
            new SamplingStep(i, steps(), sigmas[i], stage, stages, evaluated, elapsed, modelTime));
  }

  /**
   * Hands y to the caller. If the last step was not reported, what the request's mask keeps is put
   * back first.
   *
   * @return {@code [B, N, d]}, owned by the noise's manager
   */
  public NDArray finish() {
    if (keptAt != reached) {
      keepKnown(reached);
    }
    state.attach(request.noise().getManager());
    return state;
  }

  /** Frees the run's arrays. */
  @Override
  public void close() {
    manager.close();
  }

  /** One step: evaluate, then advance. Closing it frees what it made. */
  public final class Step implements AutoCloseable {
    private final int i;
    private final NDManager scratch = manager.newSubManager();
    private @Nullable ActiveTokens active;
    private @Nullable NDArray tokens;
    private @Nullable NDArray velocity;

    private Step(int i) {
      this.i = i;
    }

    /**
     * Returns the owner of what lives as long as the step.
     *
     * @return a manager on the noise's device
     */
    public NDManager manager() {
      return scratch;
    }

    /**
     * Evaluates the model at some tokens and refuses what no sampler could use.
     *
     * @param at the tokens
     * @return their velocities {@code [B, m, d]}, borrowed until the step is closed
     * @throws ModelOutputException if the model returns nothing, a closed array, another shape,
     *     type or device, or values that are not finite
     */
    public NDArray evaluate(ActiveTokens at) {
      active = at;
      tokens = at.subset().isFull() ? view(state) : at.select(state, scratch);
      long before = System.nanoTime();
      NDArray result = model.velocity(tokens, at, sigmas[i]);
      ModelOutput.check(result, tokens, this::at);
      modelTime = Duration.ofNanos(System.nanoTime() - before);
      // what is computed from an array belongs to its manager, so a foreign one is seen as a view
      velocity = result.getManager() == scratch ? result : view(result);
      return velocity;
    }

    private NDArray view(NDArray array) {
      NDArray view = array.reshape(array.getShape());
      view.attach(scratch);
      return view;
    }

    /**
     * Computes the clean estimate at the evaluated tokens, {@code x0_hat = y - sigma v}. To be
     * called before y advances.
     *
     * @return {@code [B, m, d]}, a new array of the step
     */
    public NDArray cleanEstimate() {
      return evaluated(velocity).mul((float) -sigmas[i]).addi(evaluated(tokens));
    }

    /**
     * Shows the listener the clean estimate of every token, if it asks for this step's. To be
     * called before y advances.
     *
     * @param spread makes {@code [B, N, d]} of the estimate at the evaluated tokens; called only if
     *     the listener asks
     */
    public void offerEstimate(UnaryOperator<NDArray> spread) {
      List<SamplingListener> wanting =
          request.listener().estimateListeners().stream()
              .filter(listener -> listener.wantsEstimate(i))
              .toList();
      if (!wanting.isEmpty()) {
        try (NDArray clean = cleanEstimate();
            NDArray everywhere = spread.apply(clean)) {
          wanting.forEach(listener -> listener.onEstimate(i, everywhere));
        }
      }
    }

    /**
     * Advances y to the next noise level by the run's solver.
     *
     * @param along the velocities of the evaluated tokens {@code [B, m, d]}, which alone move then;
     *     or of all tokens {@code [B, N, d]}, made from them; not changed
     */
    public void advance(NDArray along) {
      double h = sigmas[i + 1] - sigmas[i];
      boolean remembers = solver != Solver.EULER && h != 0 && i + 1 < steps();
      try (NDArray change = change(along, h)) {
        // before y moves: a model may have returned a view of it
        @Nullable NDArray kept = remembers ? along.duplicate() : null;
        if (along.getShape().equals(state.getShape())) {
          state.addi(change);
        } else {
          evaluated(active).write(state, change.addi(evaluated(tokens)));
        }
        if (kept != null) {
          remember(kept);
          previousLength = h;
        }
      }
    }

    /** The step's length times its velocity, an array of its own. */
    private NDArray change(NDArray along, double h) {
      @Nullable NDArray change = previous;
      if (change == null || h == 0) {
        return along.mul((float) h);
      }
      double r = previousLength == 0 ? 1 : Math.min(LONGEST_REACH, h / previousLength);
      previous = null;
      // h ((1 + r/2) v - (r/2) v_before), in the array of v_before
      return change.muli((float) (-r / (2 + r))).addi(along).muli((float) (h * (1 + r / 2)));
    }

    private static <T> T evaluated(@Nullable T part) {
      if (part == null) {
        throw new IllegalStateException("evaluate comes first in a step");
      }
      return part;
    }

    private String at() {
      return "step %d of %d (sigma %s)".formatted(i, steps(), sigmas[i]);
    }

    /** Frees what the step made. */
    @Override
    public void close() {
      scratch.close();
    }
  }
}
