package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenSubset;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.stream.IntStream;

/**
 * A model of which a part of the answer is known before it is asked. A token that stays as it is in
 * known latents moves along the straight line {@code (1 - sigma) known + sigma noise}, so its
 * velocity is {@code noise - known} and need not be evaluated. The wrapped model sees the tokens
 * that are drawn anew and as many of the others as are to give it context; for the rest the known
 * velocity is returned. Every sampler works with it, and JiT may take all known tokens as anchors
 * at no cost.
 *
 * <p>For requests of one sample. As thread-safe as the wrapped model.
 */
final class PartlyKnownModel implements VelocityModel {
  private final VelocityModel model;
  private final SamplingRequest request;
  private final boolean[] evaluated;

  /** By the tokens asked for, whose arrays own those of the part: one object during a stage. */
  private final Map<ActiveTokens, Part> parts = Collections.synchronizedMap(new WeakHashMap<>());

  /** As {@link VelocityModel#partlyKnown}. */
  PartlyKnownModel(VelocityModel model, SamplingRequest request, TokenSubset evaluated) {
    Checks.argument(
        request.samples() == 1 && !request.known().isEmpty(),
        "a partly known model serves requests of one sample with known latents, got %d samples and"
            + " %s",
        request.samples(),
        request.known().isEmpty() ? "none" : "known latents");
    Checks.argument(
        evaluated.grid().equals(request.grid()),
        "the evaluated tokens are for a grid of %s, the request for %s",
        evaluated.grid(),
        request.grid());
    this.model = model;
    this.request = request;
    this.evaluated = evaluated.mask(0);
  }

  @Override
  public NDArray velocity(NDArray tokens, ActiveTokens at, double sigma) {
    TokenSubset asked = at.subset();
    int[] places =
        IntStream.range(0, asked.count()).filter(k -> evaluated[asked.index(0, k)]).toArray();
    if (places.length == asked.count()) {
      return model.velocity(tokens, at, sigma);
    }
    NDManager owner = tokens.getManager();
    try (NDManager scratch = owner.newSubManager();
        NDArray noise = at.select(request.noise(), scratch);
        NDArray known = at.select(request.known().orElseThrow(), scratch)) {
      NDArray velocity = noise.sub(known);
      if (places.length > 0) {
        Part part = parts.computeIfAbsent(at, all -> Part.of(all, places));
        NDArray shown = part.within().select(tokens, scratch);
        NDArray drawn = model.velocity(shown, part.seen(), sigma);
        ModelOutput.check(
            drawn,
            shown,
            () -> "sigma %s, %d of %d tokens".formatted(sigma, places.length, asked.count()));
        part.within().write(velocity, drawn);
      }
      velocity.attach(owner);
      return velocity;
    }
  }

  /**
   * What the wrapped model sees of the tokens that are asked for.
   *
   * @param within the places in their list, to gather and write by; there are never more of them
   *     than tokens of the grid, so the same grid serves
   * @param seen the tokens themselves
   */
  private record Part(ActiveTokens within, ActiveTokens seen) {
    static Part of(ActiveTokens all, int[] places) {
      TokenSubset asked = all.subset();
      int[] shown = IntStream.of(places).map(k -> asked.index(0, k)).toArray();
      return new Part(
          new ActiveTokens(all.manager(), TokenSubset.of(asked.grid(), places)),
          new ActiveTokens(all.manager(), TokenSubset.of(asked.grid(), shown)));
    }
  }
}
