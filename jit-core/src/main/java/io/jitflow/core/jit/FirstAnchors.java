package io.jitflow.core.jit;

import io.jitflow.core.token.TokenGrid;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The rule for the anchors of the first stage (method, section 3): a regular pattern, fitted to the
 * stage's count.
 *
 * <p>Fitting is deterministic. If the pattern has too many tokens, one part of it, the border or
 * the lattice, stays first and the others are dropped evenly over the grid; if it has too few,
 * others are added evenly. (The authors' release does both at random.)
 */
public enum FirstAnchors {
  /** Every second row and column, and the whole border; the border stays first. */
  STRIDE_TWO_AND_BORDER {
    @Override
    boolean inPattern(TokenGrid grid, int row, int col, double density) {
      return inStrideTwoPattern(grid, row, col);
    }
  },
  /**
   * The same pattern, but every second row and column stays first. It makes a difference only where
   * the pattern does not fit, on grids below about 40 x 40 with the presets: at 16 x 16 the border
   * alone would take 60 of the 81 anchors of the preset 7x. {@code docs/quality.md} compares both.
   */
  STRIDE_TWO_THEN_BORDER {
    @Override
    boolean inPattern(TokenGrid grid, int row, int col, double density) {
      return inStrideTwoPattern(grid, row, col);
    }

    @Override
    boolean staysFirst(TokenGrid grid, int row, int col) {
      return onLattice(row, col);
    }
  },
  /**
   * Every s-th row and column and the last of each, with {@code s = floor(density^(-1/2))}. Above a
   * density of 1/4 that is every token.
   */
  STRIDE_BY_DENSITY {
    @Override
    boolean inPattern(TokenGrid grid, int row, int col, double density) {
      int stride = Math.max(1, (int) Math.sqrt(1 / density));
      return (row % stride == 0 || row == grid.rows() - 1)
          && (col % stride == 0 || col == grid.cols() - 1);
    }
  };

  abstract boolean inPattern(TokenGrid grid, int row, int col, double density);

  /** Which part of the pattern is thinned last: the border, unless a rule says otherwise. */
  boolean staysFirst(TokenGrid grid, int row, int col) {
    return onBorder(grid, row, col);
  }

  /**
   * Returns the pattern before it is fitted.
   *
   * @param grid the grid
   * @param density the stage's density, in (0, 1]
   * @return token indices in row-major order
   */
  public int[] pattern(TokenGrid grid, double density) {
    return IntStream.range(0, grid.tokens())
        .filter(token -> inPattern(grid, grid.row(token), grid.col(token), density))
        .toArray();
  }

  /**
   * Selects the anchors of one sample.
   *
   * @param grid the grid
   * @param density the stage's density, in (0, 1]
   * @param count how many anchors, from 1 to the grid's tokens
   * @return token indices in row-major order
   */
  public int[] select(TokenGrid grid, double density, int count) {
    if (count < 1 || count > grid.tokens()) {
      throw new IllegalArgumentException(
          "the number of anchors must be from 1 to %d on a grid of %s, got %d"
              .formatted(grid.tokens(), grid, count));
    }
    boolean[] pattern = new boolean[grid.tokens()];
    for (int token : pattern(grid, density)) {
      pattern[token] = true;
    }
    int[] fitted =
        IntStream.range(0, grid.tokens())
            .boxed()
            .sorted(
                Comparator.comparingInt((Integer token) -> tier(grid, pattern, token))
                    .thenComparingLong(token -> EvenSpread.rank(grid.row(token), grid.col(token)))
                    .thenComparingInt(token -> token))
            .limit(count)
            .mapToInt(token -> token)
            .toArray();
    Arrays.sort(fitted);
    return fitted;
  }

  private int tier(TokenGrid grid, boolean[] pattern, int token) {
    if (!pattern[token]) {
      return 2;
    }
    return staysFirst(grid, grid.row(token), grid.col(token)) ? 0 : 1;
  }

  private static boolean inStrideTwoPattern(TokenGrid grid, int row, int col) {
    return onBorder(grid, row, col) || onLattice(row, col);
  }

  private static boolean onLattice(int row, int col) {
    return row % 2 == 0 && col % 2 == 0;
  }

  private static boolean onBorder(TokenGrid grid, int row, int col) {
    return row == 0 || col == 0 || row == grid.rows() - 1 || col == grid.cols() - 1;
  }
}
