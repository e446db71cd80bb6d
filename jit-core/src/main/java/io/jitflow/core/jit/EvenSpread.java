package io.jitflow.core.jit;

/**
 * An order of grid positions in which every leading part is spread evenly over the grid.
 *
 * <p>It is the recursive ordered-dither matrix of Bayer, "An optimum method for two-level rendition
 * of continuous-tone pictures" (1973): the bits of row and column, lowest first, become the rank's
 * digits, highest first.
 */
final class EvenSpread {
  /** Enough for the largest grid. */
  private static final int BITS = 16;

  private EvenSpread() {}

  /**
   * Returns the rank of a position; lower ranks come first.
   *
   * @param row the row, from 0
   * @param col the column, from 0
   * @return a rank that no other position has
   */
  static long rank(int row, int col) {
    long rank = 0;
    for (int bit = 0; bit < BITS; bit++) {
      int r = (row >>> bit) & 1;
      int c = (col >>> bit) & 1;
      rank = rank << 2 | (r ^ c) << 1 | r;
    }
    return rank;
  }
}
