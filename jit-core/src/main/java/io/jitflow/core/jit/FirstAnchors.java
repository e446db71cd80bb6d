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
 * others are added evenly. (The authors' release does both at random.) {@code docs/quality.md}
 * compares the rules.
 */
public enum FirstAnchors {
  /** Every second row and column, and the whole border; the border stays first. */
  STRIDE_TWO_AND_BORDER {
    @Override
    int tier(TokenGrid grid, int row, int col) {
      return onBorder(grid, row, col) ? 0 : onLattice(row, col) ? 1 : 2;
    }
  },
  /**
   * The same pattern, but every second row and column stays first. It makes a difference only where
   * the pattern does not fit, on grids below about 40 x 40 with the presets: at 16 x 16 the border
   * alone would take 60 of the 81 anchors of the preset 7x.
   */
  STRIDE_TWO_THEN_BORDER {
    @Override
    int tier(TokenGrid grid, int row, int col) {
      return onLattice(row, col) ? 0 : onBorder(grid, row, col) ? 1 : 2;
    }
  },
  /** An even spread without regard to the border: every second row and column, then more evenly. */
  EVEN_SPREAD {
    @Override
    int tier(TokenGrid grid, int row, int col) {
      return 0;
    }
  };

  /** What is taken first, second, and only to fill up. */
  abstract int tier(TokenGrid grid, int row, int col);

  /** The pattern before it is fitted, in row-major order. */
  int[] pattern(TokenGrid grid) {
    return IntStream.range(0, grid.tokens())
        .filter(token -> tier(grid, grid.row(token), grid.col(token)) < 2)
        .toArray();
  }

  /**
   * Selects the anchors of one sample.
   *
   * @param grid the grid
   * @param count how many anchors, from 1 to the grid's tokens
   * @return token indices in row-major order
   */
  public int[] select(TokenGrid grid, int count) {
    if (count < 1 || count > grid.tokens()) {
      throw new IllegalArgumentException(
          "the number of anchors must be from 1 to %d on a grid of %s, got %d"
              .formatted(grid.tokens(), grid, count));
    }
    int[] fitted =
        IntStream.range(0, grid.tokens())
            .boxed()
            .sorted(
                Comparator.comparingInt(
                        (Integer token) -> tier(grid, grid.row(token), grid.col(token)))
                    .thenComparingLong(token -> EvenSpread.rank(grid.row(token), grid.col(token)))
                    .thenComparingInt(token -> token))
            .limit(count)
            .mapToInt(token -> token)
            .toArray();
    Arrays.sort(fitted);
    return fitted;
  }

  private static boolean onLattice(int row, int col) {
    return row % 2 == 0 && col % 2 == 0;
  }

  private static boolean onBorder(TokenGrid grid, int row, int col) {
    return row == 0 || col == 0 || row == grid.rows() - 1 || col == grid.cols() - 1;
  }
}
