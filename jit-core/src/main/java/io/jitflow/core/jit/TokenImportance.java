package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.pooling.Pool;
import io.jitflow.core.jit.JitConfig.ImportanceBorder;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Importance-guided token activation (ITA): which tokens join next.
 *
 * <p>The importance of a position is the local variance of the lifted velocity, {@code E_W[v*v] -
 * E_W[v]^2} over a 3x3 window W, averaged over channels, in float32.
 */
final class TokenImportance {
  private static final Shape WINDOW = new Shape(3, 3);
  private static final Shape ONE = new Shape(1, 1);

  /** Channels at a time, so that the map needs a fraction of the velocity's memory. */
  private static final long GROUP = 16;

  /** Values at a time at least: on a small grid every operator call costs more than its work. */
  private static final long GROUP_VALUES = 1 << 16;

  private TokenImportance() {}

  /**
   * Computes the importance map.
   *
   * @param velocity the lifted velocity {@code [B, N, d]}, FLOAT32; not changed
   * @param grid the grid of its N tokens
   * @param border what the window sees outside the grid
   * @return {@code [B, N]}, FLOAT32, a new array of the velocity's manager
   */
  public static NDArray map(NDArray velocity, TokenGrid grid, ImportanceBorder border) {
    boolean insideOnly = border == ImportanceBorder.INSIDE_ONLY;
    long samples = velocity.getShape().get(0);
    long channels = velocity.getShape().get(2);
    Shape plane = new Shape(samples, 1, grid.rows(), grid.cols());
    try (NDManager scratch = velocity.getManager().newSubManager()) {
      scratch.tempAttachAll(velocity);
      NDArray sumOfSquares = scratch.zeros(plane);
      NDArray sumOfSquaredMeans = scratch.zeros(plane);
      long together = Math.max(GROUP, GROUP_VALUES / (samples * grid.tokens()));
      for (long first = 0; first < channels; first += together) {
        try (NDManager group = scratch.newSubManager()) {
          long end = Math.min(channels, first + together);
          NDArray field = velocity.get(group, new NDIndex(":, :, {}:{}", first, end));
          if (insideOnly) {
            field = centred(field);
          }
          // the channel sum and the window mean commute: only E_W[v] needs every channel
          NDArray squares = field.square().sum(new int[] {2});
          sumOfSquares.addi(windowMean(squares.reshape(plane)));
          NDArray image =
              field.reshape(samples, grid.rows(), grid.cols(), end - first).transpose(0, 3, 1, 2);
          NDArray mean = windowMean(image);
          sumOfSquaredMeans.addi(mean.muli(mean).sum(new int[] {1}, true));
        }
      }
      if (insideOnly) {
        NDArray share = windowShare(scratch, grid);
        sumOfSquares.divi(share);
        sumOfSquaredMeans.divi(share).divi(share);
      }
      NDArray variance =
          sumOfSquares.sub(sumOfSquaredMeans).divi(channels).reshape(samples, grid.tokens());
      variance.attach(scratch.getParentManager());
      return variance;
    }
  }

  /**
   * Subtracts a constant from each sample and channel, which leaves the variance as it is and makes
   * its rounding error small. By way of one token's velocity, so that a constant field gives exact
   * zeros.
   */
  private static NDArray centred(NDArray velocity) {
    NDArray first = velocity.get(":, :1");
    try (NDArray fromFirst = velocity.sub(first)) {
      return velocity.sub(fromFirst.mean(new int[] {1}, true).addi(first));
    }
  }

  /** The mean over the window, with zeros outside the grid. */
  private static NDArray windowMean(NDArray image) {
    return Pool.avgPool2d(image, WINDOW, ONE, ONE, false, true);
  }

  /** The share of the window that lies inside the grid. (The engine's pooling cannot count it.) */
  private static NDArray windowShare(NDManager manager, TokenGrid grid) {
    float[] share = new float[grid.tokens()];
    for (int token = 0; token < share.length; token++) {
      int row = grid.row(token);
      int col = grid.col(token);
      int rows = Math.min(row + 1, grid.rows() - 1) - Math.max(row - 1, 0) + 1;
      int cols = Math.min(col + 1, grid.cols() - 1) - Math.max(col - 1, 0) + 1;
      share[token] = rows * cols / 9f;
    }
    return manager.create(share, new Shape(1, 1, grid.rows(), grid.cols()));
  }

  /**
   * Selects the tokens of the next stage.
   *
   * @param importance the importance of every position of each sample, read from {@link #map}
   * @param active the tokens of the stage that ends
   * @param count the token count of the next stage
   * @return the active tokens in their order, followed by the {@code count - active.count()}
   *     inactive ones of largest importance in descending order, equal ones by index. If the count
   *     takes all, they follow in ascending index order; if it is not above the active count,
   *     nothing follows.
   */
  public static TokenSubset select(float[][] importance, TokenSubset active, int count) {
    int[][] next = new int[active.samples()][];
    for (int b = 0; b < next.length; b++) {
      float[] score = importance[b];
      next[b] =
          extend(
              active,
              b,
              count,
              Comparator.comparingDouble((Integer token) -> 0.0 - score[token])
                  .thenComparingInt(token -> token));
    }
    return TokenSubset.of(active.grid(), next);
  }

  /**
   * Selects the tokens of the next stage evenly over the grid.
   *
   * @return the active tokens in their order, followed by an even spread of inactive ones. If the
   *     count takes all, they follow in ascending index order; if it is not above the active count,
   *     nothing follows.
   */
  public static TokenSubset selectEvenly(TokenSubset active, int count) {
    TokenGrid grid = active.grid();
    int[][] next = new int[active.samples()][];
    for (int b = 0; b < next.length; b++) {
      next[b] =
          extend(
              active,
              b,
              count,
              Comparator.comparingLong(
                  (Integer token) -> EvenSpread.rank(grid.row(token), grid.col(token))));
    }
    return TokenSubset.of(grid, next);
  }

  private static int[] extend(
      TokenSubset active, int sample, int count, Comparator<Integer> order) {
    int[] kept = active.indices(sample);
    if (count <= kept.length) {
      return kept;
    }
    boolean[] isActive = active.mask(sample);
    int tokens = active.grid().tokens();
    IntStream inactive = IntStream.range(0, tokens).filter(token -> !isActive[token]);
    int[] joining =
        count >= tokens
            ? inactive.toArray()
            : inactive
                .boxed()
                .sorted(order)
                .limit(count - kept.length)
                .mapToInt(token -> token)
                .toArray();
    int[] extended = Arrays.copyOf(kept, kept.length + joining.length);
    System.arraycopy(joining, 0, extended, kept.length, joining.length);
    return extended;
  }
}
