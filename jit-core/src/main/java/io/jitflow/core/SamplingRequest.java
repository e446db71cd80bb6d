package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.util.NativeResource;
import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a sampler starts from: noise, the grid its tokens sit on, and, for those who want to give
 * them, the noise of the transitions, the anchors and a listener.
 *
 * <p>Immutable; borrows its arrays and never changes or closes them.
 */
public final class SamplingRequest {
  /** What resizing in float32 may add. */
  private static final float MASK_ROUNDING = 1e-4f;

  /** Keeps three coordinates per token within one Java array. */
  private static final long MOST_TOKENS = 1L << 29;

  private final NDArray noise;
  private final TokenGrid grid;
  private final @Nullable NDArray transitionNoise;
  private final List<TokenSubset> anchors;
  private final SamplingListener listener;
  private final @Nullable NDArray known;
  private final @Nullable NDArray mask;

  private SamplingRequest(
      NDArray noise,
      TokenGrid grid,
      @Nullable NDArray transitionNoise,
      List<TokenSubset> anchors,
      SamplingListener listener,
      @Nullable NDArray known,
      @Nullable NDArray mask) {
    this.noise = noise;
    this.grid = grid;
    this.transitionNoise = transitionNoise;
    this.anchors = anchors;
    this.listener = listener;
    this.known = known;
    this.mask = mask;
  }

  /**
   * Makes a request from noise.
   *
   * @param noise {@code [B, N, d]}, FLOAT32, standard normal: the state at sigma 1. Its device is
   *     where everything runs, and its manager owns the sampler's result
   * @param grid the grid of the N tokens
   * @return the request
   * @throws IllegalArgumentException if the array has another rank or type, or N is not rows x cols
   * @throws IllegalStateException if the array is closed
   */
  public static SamplingRequest of(NDArray noise, TokenGrid grid) {
    Objects.requireNonNull(grid, "grid");
    checkTokens("noise", noise);
    Checks.argument(
        noise.getShape().get(1) == grid.tokens(),
        "noise has %d tokens (shape %s), but a grid of %s has %d",
        noise.getShape().get(1),
        noise.getShape(),
        grid,
        grid.tokens());
    long rows = noise.getShape().get(0) * noise.getShape().get(1);
    Checks.argument(
        rows <= MOST_TOKENS,
        "a batch of %s has %d tokens, more than the %d that places can be computed for; sample"
            + " fewer at a time",
        noise.getShape(),
        rows,
        MOST_TOKENS);
    return new SamplingRequest(noise, grid, null, List.of(), SamplingListener.none(), null, null);
  }

  /**
   * Makes a request from seeds. Each sample's initial noise and then its transition noise come from
   * one private generator, {@link TorchNoise}; the same seed gives the same sample in any batch.
   *
   * @param manager the owner of the noise; its device is where everything runs
   * @param grid the grid
   * @param channels d, at least 1
   * @param seeds one seed per sample
   * @return the request
   * @throws IllegalArgumentException if there is no seed or channel
   * @throws IllegalStateException if the manager is closed
   */
  public static SamplingRequest seeded(
      NDManager manager, TokenGrid grid, int channels, long... seeds) {
    Objects.requireNonNull(grid, "grid");
    if (!manager.isOpen()) {
      throw new IllegalStateException("the manager that shall own the noise is closed");
    }
    Checks.argument(
        seeds.length != 0 && channels >= 1,
        "at least 1 seed and 1 channel are needed, got %d and %d",
        seeds.length,
        channels);
    long values = Math.multiplyExact((long) grid.tokens(), channels) * seeds.length;
    Checks.argument(
        values <= Integer.MAX_VALUE - 8,
        "%d samples of %d tokens and %d channels are more numbers than one Java array holds; draw"
            + " fewer at a time",
        seeds.length,
        grid.tokens(),
        channels);
    int size = grid.tokens() * channels;
    float[] noise = new float[size * seeds.length];
    float[] transitionNoise = new float[noise.length];
    for (int b = 0; b < seeds.length; b++) {
      TorchNoise generator = new TorchNoise(seeds[b]);
      System.arraycopy(generator.draw(size), 0, noise, b * size, size);
      System.arraycopy(generator.draw(size), 0, transitionNoise, b * size, size);
    }
    Shape shape = new Shape(seeds.length, grid.tokens(), channels);
    return of(manager.create(noise, shape), grid)
        .withTransitionNoise(manager.create(transitionNoise, shape));
  }

  /**
   * Gives the noise of the transitions, eps in the micro-flow's target.
   *
   * @param transitionNoise of the shape, type and device of the noise
   * @return a request with it
   * @throws IllegalArgumentException if shape, type or device differ
   */
  public SamplingRequest withTransitionNoise(NDArray transitionNoise) {
    checkLikeNoise("transition noise", transitionNoise);
    return new SamplingRequest(noise, grid, transitionNoise, anchors, listener, known, mask);
  }

  /**
   * Gives the anchors of the first stage, or of the first stages, in place of those that the
   * sampler would select. Their count may differ from the stage's density. A sampler without stages
   * evaluates every token and does not look at them.
   *
   * @param stages the tokens of stage 0, of stage 1, ...; sets of one sample serve the whole batch
   * @return a request with them
   * @throws IllegalArgumentException if a set is for another grid or batch size
   */
  public SamplingRequest withAnchors(TokenSubset... stages) {
    for (TokenSubset stage : stages) {
      Checks.argument(
          stage.grid().equals(grid),
          "the anchors are for a grid of %s, the noise for %s",
          stage.grid(),
          grid);
    }
    List<TokenSubset> all =
        List.of(stages).stream().map(stage -> stage.forSamples(samples())).toList();
    return new SamplingRequest(noise, grid, transitionNoise, all, listener, known, mask);
  }

  /**
   * Gives a listener for progress and cancelling.
   *
   * @param listener called on the sampling thread
   * @return a request with it
   */
  public SamplingRequest withListener(SamplingListener listener) {
    return new SamplingRequest(
        noise,
        grid,
        transitionNoise,
        anchors,
        Objects.requireNonNull(listener, "listener"),
        known,
        mask);
  }

  /**
   * Gives clean latents that are known already: the run starts from {@code (1 - sigma) known +
   * sigma noise} at the sampler's first noise level, see {@link Sampler#startingAt}.
   *
   * @param clean of the shape, type and device of the noise; borrowed
   * @return a request with them, without a mask
   * @throws IllegalArgumentException if shape, type or device differ
   */
  public SamplingRequest withKnown(NDArray clean) {
    checkLikeNoise("known latents", clean);
    return new SamplingRequest(noise, grid, transitionNoise, anchors, listener, clean, null);
  }

  /**
   * Keeps a part of the known latents: after every step to a noise level sigma the state becomes
   * {@code mask y + (1 - mask) ((1 - sigma) known + sigma noise)}, so that what is drawn fits what
   * is kept, and where the mask is 0 the result is what was known.
   *
   * @param share of the shape, type and device of the noise; 1 where the sampler draws, 0 where the
   *     known latents stay; borrowed
   * @return a request with it
   * @throws IllegalArgumentException if shape, type or device differ, or a value is not from 0 to
   *     1, but for rounding
   * @throws IllegalStateException without known latents
   */
  public SamplingRequest withMask(NDArray share) {
    checkLikeNoise("mask", share);
    if (known == null) {
      throw new IllegalStateException("a mask keeps known latents: give withKnown first");
    }
    try (NDArray min = share.min();
        NDArray max = share.max()) {
      // of an array that has a NaN, both are NaN
      Checks.argument(
          min.getFloat() >= -MASK_ROUNDING && max.getFloat() <= 1 + MASK_ROUNDING,
          "the values of a mask must be from 0 (kept) to 1 (drawn), got %s to %s; clip(0, 1) helps"
              + " after resizing",
          min.getFloat(),
          max.getFloat());
    }
    return new SamplingRequest(noise, grid, transitionNoise, anchors, listener, known, share);
  }

  private void checkLikeNoise(String name, NDArray array) {
    checkTokens(name, array);
    Checks.argument(
        array.getShape().equals(noise.getShape()) && array.getDevice().equals(noise.getDevice()),
        "%s must have the shape and device of the noise, %s on %s, got %s on %s",
        name,
        noise.getShape(),
        noise.getDevice(),
        array.getShape(),
        array.getDevice());
  }

  /**
   * Returns the known latents.
   *
   * @return {@code [B, N, d]}, borrowed; empty if the run starts from noise
   */
  public Optional<NDArray> known() {
    return Optional.ofNullable(known);
  }

  /**
   * Returns where the sampler draws.
   *
   * @return {@code [B, N, d]}, borrowed; empty if everywhere
   */
  public Optional<NDArray> mask() {
    return Optional.ofNullable(mask);
  }

  /**
   * Returns the initial noise.
   *
   * @return {@code [B, N, d]}, borrowed
   */
  public NDArray noise() {
    return noise;
  }

  /**
   * Returns the grid.
   *
   * @return the grid of the N tokens
   */
  public TokenGrid grid() {
    return grid;
  }

  /**
   * Returns the noise of the transitions.
   *
   * @return {@code [B, N, d]}, borrowed; empty if none was given
   */
  public Optional<NDArray> transitionNoise() {
    return Optional.ofNullable(transitionNoise);
  }

  /**
   * Returns the given anchors of a stage.
   *
   * @param stage the stage, from 0
   * @return the anchors, or empty if the sampler selects them
   */
  public Optional<TokenSubset> anchors(int stage) {
    return stage < anchors.size() ? Optional.of(anchors.get(stage)) : Optional.empty();
  }

  /**
   * Returns the listener.
   *
   * @return the listener, never null
   */
  public SamplingListener listener() {
    return listener;
  }

  /**
   * Returns the batch size.
   *
   * @return B
   */
  public int samples() {
    return (int) noise.getShape().get(0);
  }

  /** Checks again that nothing was closed since the request was made. */
  void checkOpen() {
    checkOpen("noise", noise);
    if (transitionNoise != null) {
      checkOpen("transition noise", transitionNoise);
    }
    if (known != null) {
      checkOpen("known latents", known);
    }
    if (mask != null) {
      checkOpen("mask", mask);
    }
  }

  private static void checkTokens(String name, NDArray array) {
    Objects.requireNonNull(array, name);
    checkOpen(name, array);
    Checks.argument(
        array.getDataType() == DataType.FLOAT32,
        "%s must be FLOAT32, got %s; convert it with toType(DataType.FLOAT32, false)",
        name,
        array.getDataType().name());
    Checks.argument(
        array.getShape().dimension() == 3,
        "%s must have the shape [batch, tokens, channels], got %s",
        name,
        array.getShape());
    Checks.argument(array.getShape().size() != 0, "%s is empty: %s", name, array.getShape());
  }

  private static void checkOpen(String name, NDArray array) {
    if (array instanceof NativeResource<?> resource && resource.isReleased()) {
      throw new IllegalStateException(
          name + " is closed; keep the array, or the manager that owns it, open while sampling");
    }
  }
}
