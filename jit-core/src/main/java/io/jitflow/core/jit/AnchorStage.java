package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.Trajectory;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * The stage that a run is in: its anchor set Omega_k, what depends on it, and the way to the next
 * one.
 */
final class AnchorStage implements AutoCloseable {
  private final JitConfig config;
  private final StagePlan plan;
  private final Trajectory path;
  private final JitTrace trace;
  private int stage;
  private TokenSubset tokens;
  private ActiveTokens active;
  private VelocityLifter lifter;
  private TokenSubset next;
  private NDArray clean;

  /** Enters the first stage, with the caller's anchors or the configured pattern's. */
  AnchorStage(JitConfig config, StagePlan plan, Trajectory path, JitTrace trace) {
    this.config = config;
    this.plan = plan;
    this.path = path;
    this.trace = trace;
    int first = plan.stageOf(0);
    SamplingRequest request = path.request();
    checkGivenAnchors(request);
    enter(first, request.anchors(first).orElseGet(() -> firstAnchors(first, request)));
  }

  private void checkGivenAnchors(SamplingRequest request) {
    if (request.anchors(plan.stages()).isPresent()) {
      throw new IllegalArgumentException(
          "the request gives anchors for more stages than the %d of the settings"
              .formatted(plan.stages()));
    }
    if (config.stageRules() != StageRules.STRICT) {
      return;
    }
    int all = request.grid().tokens();
    for (int s = 0; s < plan.stages(); s++) {
      int count = tokenCount(request, s);
      if (s > 0 && count <= tokenCount(request, s - 1) && count < all) {
        throw new IllegalArgumentException(
            "stage %d has %d tokens after %d: every stage must add tokens; give fewer anchors or raise its density"
                .formatted(s, count, tokenCount(request, s - 1)));
      }
      if (s == plan.stages() - 1 && count < all) {
        throw new IllegalArgumentException(
            "the anchors given for the last stage, %d, are %d of %d tokens: tokens left out of it would never be finished"
                .formatted(s, count, all));
      }
    }
  }

  private int tokenCount(SamplingRequest request, int s) {
    return request.anchors(s).map(TokenSubset::count).orElse(plan.activeTokens(s));
  }

  private TokenSubset firstAnchors(int first, SamplingRequest request) {
    TokenGrid grid = request.grid();
    int[] anchors =
        config
            .firstAnchors()
            .select(grid, config.stages().get(first).density(), plan.activeTokens(first));
    return TokenSubset.of(grid, anchors).forSamples(request.samples());
  }

  private void enter(int nextStage, TokenSubset nextTokens) {
    close();
    stage = nextStage;
    tokens = nextTokens;
    // a full stage is evaluated in grid order, whatever the order in which its tokens joined
    TokenSubset evaluated =
        tokens.isFull() ? TokenSubset.all(tokens.grid(), tokens.samples()) : tokens;
    active = path.activate(evaluated);
    if (!tokens.isFull()) {
      lifter = new VelocityLifter(path.manager(), tokens, config.blurWidth(), config.tiedAnchors());
    }
  }

  /** The tokens as the model sees them. */
  ActiveTokens active() {
    return active;
  }

  /** The velocity of all tokens, Pi_k u. */
  NDArray lift(NDArray u) {
    if (tokens.isFull()) {
      return u;
    }
    if (stage == plan.stages() - 1) {
      // only under StageRules.AS_RELEASED: tokens left out of the last stage stand still
      return lifter.scatter(u);
    }
    return lifter.lift(u);
  }

  /**
   * At the end of step i: selects the tokens of the next stage and keeps the clean estimate {@code
   * x0_hat = y - sigma u}. Frees u, unless it is the velocity too.
   */
  void activate(NDArray u, NDArray velocity, int i) {
    int nextStage = plan.stageOf(i + 1);
    next =
        path.request()
            .anchors(nextStage)
            .orElseGet(() -> selectJoining(velocity, plan.activeTokens(nextStage)));
    if (tokens.isFull()) {
      return; // nothing is left to join
    }
    clean = u.mul((float) -path.sigma(i));
    clean.attach(path.manager());
    u.close();
    try (NDManager scratch = path.manager().newSubManager()) {
      clean.addi(path.tokens(active, scratch));
    }
  }

  private TokenSubset selectJoining(NDArray velocity, int count) {
    boolean noneOrAllJoin = count <= tokens.count() || count >= tokens.grid().tokens();
    if (noneOrAllJoin || config.activation() == Activation.EVEN_SPREAD) {
      return TokenImportance.selectEvenly(tokens, count);
    }
    float[] flat;
    try (NDArray map = TokenImportance.map(velocity, tokens.grid(), config.importanceBorder())) {
      flat = map.toFloatArray();
    }
    float[][] importance = new float[tokens.samples()][];
    int size = tokens.grid().tokens();
    Arrays.setAll(importance, b -> Arrays.copyOfRange(flat, b * size, (b + 1) * size));
    return TokenImportance.select(importance, tokens, count);
  }

  /**
   * Crosses the boundary before step i: the micro-flow moves the joining tokens to their target,
   * then the next stage begins.
   */
  void join(int i) {
    long[] joining = joining(next);
    if (joining.length > 0) {
      try (NDManager scratch = path.manager().newSubManager()) {
        flow(joining, i, scratch);
      }
    }
    enter(plan.stageOf(i), next);
  }

  private void flow(long[] joining, int i, NDManager scratch) {
    clean.attach(scratch);
    MicroFlow microFlow = config.microFlow();
    NDArray rows = scratch.create(joining);
    NDArray lifted = lifter.lift(clean); // Phi_k(x0_hat)
    clean.close();
    NDArray target;
    try (NDArray estimate = Trajectory.rows(lifted, rows, scratch);
        NDArray noise = Trajectory.rows(transitionNoise(), rows, scratch)) {
      target = microFlow.target(estimate, noise, path.sigma(i));
    }
    path.setRows(rows, microFlow.flow(path.rows(rows, scratch), target));
    trace.transition(i, next, joining, lifted, target, path.state());
  }

  private NDArray transitionNoise() {
    return config.transitionNoise() == TransitionNoise.INITIAL
        ? path.request().noise()
        : path.request().transitionNoise();
  }

  /** Rows of [B * N, d] that are active next and are not now, in list order. */
  private long[] joining(TokenSubset next) {
    int size = tokens.grid().tokens();
    LongStream.Builder rows = LongStream.builder();
    for (int b = 0; b < next.samples(); b++) {
      boolean[] already = tokens.mask(b);
      for (int k = 0; k < next.count(); k++) {
        if (!already[next.index(b, k)]) {
          rows.add((long) b * size + next.index(b, k));
        }
      }
    }
    return rows.build().toArray();
  }

  /** Frees the stage's arrays. */
  @Override
  public void close() {
    if (clean != null) {
      clean.close();
      clean = null;
    }
    if (active != null) {
      active.close();
      active = null;
    }
    if (lifter != null) {
      lifter.close();
      lifter = null;
    }
  }
}
