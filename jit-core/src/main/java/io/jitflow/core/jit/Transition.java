package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import io.jitflow.core.Trajectory;
import io.jitflow.core.jit.JitConfig.MicroFlow;
import io.jitflow.core.jit.JitConfig.TransitionNoise;
import io.jitflow.core.token.TokenSubset;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The way from one stage to the next: the micro-flow of the joining tokens, and their velocity
 * history.
 *
 * @param from the stage that ends
 * @param next the tokens of the next one
 * @param clean {@code x0_hat = y - sigma u} at the active tokens, owned by the run; null if every
 *     token is active
 * @param i the first step of the next stage
 */
/*
 * A joining token has no velocity of its own, but its target y* = (1 - sigma) x + sigma eps, with
 * x = Phi_k(x0_hat), lies on a straight path whose velocity is eps - x at every noise level. With
 * that as its history the solver's step after the boundary is of second order for it too. (In
 * worlds whose answer is known, taking the lifted velocity of the anchors instead is up to nine
 * times worse, a restart at first order worse still; docs/quality.md.) A partial micro-flow leaves
 * the token off that path, which is why JitConfig allows only Euler's rule with it.
 */
record Transition(AnchorStage from, TokenSubset next, @Nullable NDArray clean, int i) {

  /** Moves the joining tokens to their target and enters the next stage. */
  AnchorStage cross() {
    AnchorStage.Run run = from.run();
    Trajectory path = run.path();
    try (NDManager scratch = path.manager().newSubManager()) {
      @Nullable NDArray history = null;
      long[] joining = joining();
      if (joining.length > 0 && clean != null) {
        clean.attach(scratch);
        NDArray lifted = from.lift(clean); // Phi_k(x0_hat)
        flow(joining, lifted, scratch);
        history = lifted.muli(-1).addi(noise()); // eps - Phi_k(x0_hat)
      } else if (clean != null) {
        clean.close();
      }
      if (history != null && path.history().isPresent()) {
        from.active().write(history, path.history().orElseThrow());
      } else {
        history = path.history().map(from::lift).orElse(null);
      }
      from.close();
      AnchorStage to = new AnchorStage(run, run.plan().stageOf(i), next);
      if (history != null && path.history().isPresent()) {
        path.remember(to.active().select(history, scratch));
      }
      return to;
    }
  }

  private void flow(long[] joining, NDArray lifted, NDManager scratch) {
    AnchorStage.Run run = from.run();
    MicroFlow microFlow = run.config().microFlow();
    NDArray state = run.path().state();
    NDArray rows = scratch.create(joining);
    NDArray target;
    try (NDArray estimate = gather(lifted, rows, scratch);
        NDArray noise = gather(noise(), rows, scratch)) {
      target = microFlow.target(estimate, noise, run.path().sigma(i));
    }
    try (NDArray flat = state.reshape(-1, state.getShape().get(2))) {
      flat.set(new NDIndex("{}", rows), microFlow.flow(gather(state, rows, scratch), target));
    }
    run.trace().transition(i, next, joining, lifted, target, state);
  }

  private static NDArray gather(NDArray tokens, NDArray rows, NDManager owner) {
    try (NDArray flat = tokens.reshape(-1, tokens.getShape().get(2))) {
      return flat.get(owner, new NDIndex("{}", rows));
    }
  }

  private NDArray noise() {
    return from.run().config().transitionNoise() == TransitionNoise.INITIAL
        ? from.run().path().request().noise()
        : from.run().path().request().transitionNoise().orElseThrow();
  }

  /** Rows of [B * N, d] that are active next and are not now, in list order. */
  private long[] joining() {
    TokenSubset tokens = from.tokens();
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
}
