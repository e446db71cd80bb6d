package io.jitflow.flux.network;

import io.jitflow.core.check.Checks;

/**
 * The sizes of a T5 v1.1 encoder (gated GELU feed-forward).
 *
 * @param vocabulary rows of the token embedding (32128)
 * @param width width of the token stream (4096)
 * @param headWidth width of one attention head (64); {@code heads * headWidth} need not equal the
 *     width
 * @param heads attention heads (64)
 * @param feedForwardWidth inner width of the feed-forward parts (10240)
 * @param layers transformer layers (24)
 * @param buckets relative position buckets, both directions together (32)
 * @param maxDistance distance at which the last bucket ends (128)
 * @param layerNormEps epsilon of the RMS norms (1e-6)
 */
public record T5Architecture(
    int vocabulary,
    int width,
    int headWidth,
    int heads,
    int feedForwardWidth,
    int layers,
    int buckets,
    int maxDistance,
    double layerNormEps)
    implements Architecture {

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive or the buckets are not a multiple of
   *     four
   */
  public T5Architecture {
    Sizes.requirePositive("vocabulary", vocabulary);
    Sizes.requirePositive("width", width);
    Sizes.requirePositive("headWidth", headWidth);
    Sizes.requirePositive("heads", heads);
    Sizes.requirePositive("feedForwardWidth", feedForwardWidth);
    Sizes.requirePositive("layers", layers);
    Sizes.requirePositive("buckets", buckets);
    Sizes.requirePositive("maxDistance", maxDistance);
    Checks.argument(
        buckets % 4 == 0 && maxDistance > buckets / 4,
        "buckets must be a multiple of 4 and maxDistance greater than a quarter of it, got %d and %d",
        buckets,
        maxDistance);
  }
}
