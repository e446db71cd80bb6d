package io.jitflow.core.token;

import io.jitflow.core.check.Checks;
import java.util.Arrays;

/**
 * Which tokens of the grid are active in each sample of a batch: the anchor set Omega_k of the
 * paper.
 *
 * <p>The order of a sample's list is the order in which its tokens are given to the model, and it
 * decides ties where a setting says so. Every sample has the same number of tokens. Immutable.
 */
public final class TokenSubset {
  private final TokenGrid grid;
  private final int[][] indices;

  private TokenSubset(TokenGrid grid, int[][] indices) {
    this.grid = grid;
    this.indices = indices;
  }

  /**
   * Makes a subset from one index list per sample.
   *
   * @param grid the grid
   * @param indices token indices of each sample, each list without repetition, all of one length
   * @return the subset; the lists are copied
   * @throws IllegalArgumentException if there is no sample, a list is empty, the lengths differ, or
   *     an index is outside the grid or repeated
   */
  public static TokenSubset of(TokenGrid grid, int[]... indices) {
    Checks.argument(
        indices.length != 0 && indices[0].length != 0,
        "a token subset needs at least one sample and one token");
    int[][] copy = new int[indices.length][];
    for (int b = 0; b < indices.length; b++) {
      copy[b] = indices[b].clone();
      check(grid, copy[b], b, indices[0].length);
    }
    return new TokenSubset(grid, copy);
  }

  /**
   * Makes the subset that has every token of every sample, in row-major order.
   *
   * @param grid the grid
   * @param samples the batch size, at least 1
   * @return the full set
   */
  public static TokenSubset all(TokenGrid grid, int samples) {
    Checks.argument(samples >= 1, "a token subset needs at least one sample, got %s", samples);
    int[] every = new int[grid.tokens()];
    Arrays.setAll(every, i -> i);
    int[][] indices = new int[samples][];
    Arrays.fill(indices, every);
    return new TokenSubset(grid, indices);
  }

  private static void check(TokenGrid grid, int[] list, int sample, int count) {
    Checks.argument(
        list.length == count,
        "every sample needs the same number of tokens: sample 0 has %d, sample %d has %d",
        count,
        sample,
        list.length);
    boolean[] seen = new boolean[grid.tokens()];
    for (int k = 0; k < list.length; k++) {
      int token = list[k];
      if (token < 0 || token >= seen.length) {
        throw new IllegalArgumentException(
            "token %d at place %d of sample %d is outside the grid of %s (0 to %d)"
                .formatted(token, k, sample, grid, seen.length - 1));
      }
      if (seen[token]) {
        throw new IllegalArgumentException(
            "token %d is listed twice in sample %d, again at place %d".formatted(token, sample, k));
      }
      seen[token] = true;
    }
  }

  /**
   * Returns the grid.
   *
   * @return the grid
   */
  public TokenGrid grid() {
    return grid;
  }

  /**
   * Returns the batch size.
   *
   * @return the number of samples
   */
  public int samples() {
    return indices.length;
  }

  /**
   * Returns the number of tokens of one sample, m_k.
   *
   * @return the count, the same for every sample
   */
  public int count() {
    return indices[0].length;
  }

  /**
   * Returns the token density, rho.
   *
   * @return count divided by the grid's tokens, in (0, 1]
   */
  public double density() {
    return (double) count() / grid.tokens();
  }

  /**
   * Tells whether every token is in the set.
   *
   * @return true if count equals the grid's tokens
   */
  public boolean isFull() {
    return count() == grid.tokens();
  }

  /**
   * Returns the indices of one sample.
   *
   * @param sample the sample, from 0
   * @return a copy of its list, in order
   */
  public int[] indices(int sample) {
    return indices[sample].clone();
  }

  /**
   * Returns one index.
   *
   * @param sample the sample, from 0
   * @param place the place in its list, from 0
   * @return the token's index
   */
  public int index(int sample, int place) {
    return indices[sample][place];
  }

  /**
   * Returns which positions of one sample are active.
   *
   * @param sample the sample, from 0
   * @return one entry per token of the grid
   */
  public boolean[] mask(int sample) {
    boolean[] mask = new boolean[grid.tokens()];
    for (int token : indices[sample]) {
      mask[token] = true;
    }
    return mask;
  }

  /**
   * Repeats a set of one sample for a whole batch.
   *
   * @param samples the batch size
   * @return this set if it has that many samples already
   * @throws IllegalArgumentException if this set has neither one nor that many samples
   */
  public TokenSubset forSamples(int samples) {
    if (samples == indices.length) {
      return this;
    }
    Checks.argument(
        indices.length == 1,
        "the anchor set has %d samples, the batch %d: give 1 or %d",
        indices.length,
        samples,
        samples);
    int[][] repeated = new int[samples][];
    Arrays.fill(repeated, indices[0]);
    return new TokenSubset(grid, repeated);
  }

  /** Compares grid and lists, order included. */
  @Override
  public boolean equals(Object other) {
    return other instanceof TokenSubset that
        && grid.equals(that.grid)
        && Arrays.deepEquals(indices, that.indices);
  }

  /** Returns a hash of grid and lists. */
  @Override
  public int hashCode() {
    return 31 * grid.hashCode() + Arrays.deepHashCode(indices);
  }

  /** Returns counts only. */
  @Override
  public String toString() {
    return "%d of %d tokens (%s), %d samples"
        .formatted(count(), grid.tokens(), grid, indices.length);
  }
}
