package io.jitflow.core.jit;

import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The nearest anchors of every grid position, all tied ones included, by Euclidean distance on
 * (row, column).
 *
 * <p>Time and memory are O(N): no array of positions by anchors is ever made. Immutable.
 */
/*
 * Two passes. The first is the exact Euclidean distance transform of Meijster, Roerdink and
 * Hesselink, "A general algorithm for computing distance transforms in linear time" (2000): per
 * column the distance to the nearest anchor of that column, then per row the lower envelope of the
 * parabolas f_j(c) = (c - j)^2 + g(j)^2. Squared distances on a grid are integers, so ties are exact.
 * The second pass looks, for every position, at the few grid offsets with exactly that squared length
 * and keeps those that hit an anchor.
 */
final class NearestAnchors {
  private final int[] start;
  private final int[] places;

  private NearestAnchors(int[] start, int[] places) {
    this.start = start;
    this.places = places;
  }

  /**
   * Finds the nearest anchors.
   *
   * @param grid the grid
   * @param anchors the anchors' token indices, at least one, without repetition
   * @return for every position the places of its nearest anchors in that list
   * @throws IllegalArgumentException if there is no anchor
   */
  public static NearestAnchors of(TokenGrid grid, int[] anchors) {
    Checks.argument(anchors.length != 0, "at least one anchor is needed, got none");
    int[] place = new int[grid.tokens()];
    Arrays.fill(place, -1);
    for (int k = 0; k < anchors.length; k++) {
      place[anchors[k]] = k;
    }
    return collect(grid, place, squaredDistances(grid, place));
  }

  /**
   * Returns how many anchors are nearest to a position.
   *
   * @param token the position's index
   * @return the number of tied nearest anchors, at least 1; exactly 1 at an anchor
   */
  public int ties(int token) {
    return start[token + 1] - start[token];
  }

  /**
   * Returns one of the nearest anchors of a position.
   *
   * @param token the position's index
   * @param tie which of the tied anchors, from 0; they are in list order
   * @return the anchor's place in the list
   */
  public int place(int token, int tie) {
    return places[start[token] + tie];
  }

  private static NearestAnchors collect(TokenGrid grid, int[] place, int[] squared) {
    Map<Integer, int[]> offsetsOf = new HashMap<>();
    int[] start = new int[squared.length + 1];
    int[] places = new int[2 * squared.length];
    int used = 0;
    for (int token = 0; token < squared.length; token++) {
      int[] offsets = offsetsOf.computeIfAbsent(squared[token], d -> offsets(grid, d));
      int row = grid.row(token);
      int col = grid.col(token);
      for (int o = 0; o < offsets.length; o += 2) {
        int r = row + offsets[o];
        int c = col + offsets[o + 1];
        if (r >= 0
            && r < grid.rows()
            && c >= 0
            && c < grid.cols()
            && place[grid.index(r, c)] >= 0) {
          if (used == places.length) {
            places = Arrays.copyOf(places, 2 * used);
          }
          places[used++] = place[grid.index(r, c)];
        }
      }
      Arrays.sort(places, start[token], used);
      start[token + 1] = used;
    }
    return new NearestAnchors(start, Arrays.copyOf(places, used));
  }

  /** All (row, column) offsets of one squared length that fit into the grid. */
  private static int[] offsets(TokenGrid grid, int squared) {
    boolean wide = grid.cols() >= grid.rows();
    int[] offsets = new int[8];
    int used = 0;
    int reach = Math.min((int) Math.sqrt(squared), Math.min(grid.rows(), grid.cols()) - 1);
    for (int across = -reach; across <= reach; across++) {
      int rest = squared - across * across;
      int along = (int) Math.round(Math.sqrt(rest));
      if (along * along != rest) {
        continue;
      }
      for (int sign = along == 0 ? 1 : -1; sign <= 1; sign += 2) {
        if (used == offsets.length) {
          offsets = Arrays.copyOf(offsets, 2 * used);
        }
        offsets[used++] = wide ? across : sign * along;
        offsets[used++] = wide ? sign * along : across;
      }
    }
    return Arrays.copyOf(offsets, used);
  }

  private static int[] squaredDistances(TokenGrid grid, int[] place) {
    int rows = grid.rows();
    int cols = grid.cols();
    int far = rows + cols; // farther than any real distance along a column
    int[] column = new int[rows * cols];
    for (int c = 0; c < cols; c++) {
      int distance = far;
      for (int r = 0; r < rows; r++) {
        distance = place[grid.index(r, c)] >= 0 ? 0 : Math.min(far, distance + 1);
        column[grid.index(r, c)] = distance;
      }
      distance = far;
      for (int r = rows - 1; r >= 0; r--) {
        distance = Math.min(column[grid.index(r, c)], distance + 1);
        column[grid.index(r, c)] = distance;
      }
    }
    int[] squared = new int[rows * cols];
    int[] apex = new int[cols];
    int[] from = new int[cols];
    for (int r = 0; r < rows; r++) {
      lowerEnvelope(column, squared, r * cols, far, apex, from);
    }
    return squared;
  }

  /** One row: the columns whose parabolas are lowest, each from which column on. */
  private static void lowerEnvelope(
      int[] column, int[] squared, int rowStart, int far, int[] apex, int[] from) {
    int cols = apex.length;
    int last = -1;
    for (int c = 0; c < cols; c++) {
      int g = column[rowStart + c];
      if (g == far) {
        continue;
      }
      long height = (long) g * g;
      while (last >= 0
          && parabola(from[last], apex[last], column[rowStart + apex[last]])
              > parabola(from[last], c, g)) {
        last--;
      }
      if (last < 0) {
        last = 0;
        apex[0] = c;
        from[0] = 0;
        continue;
      }
      long other = column[rowStart + apex[last]];
      long numerator = (long) c * c - (long) apex[last] * apex[last] + height - other * other;
      long begin = 1 + Math.floorDiv(numerator, 2L * (c - apex[last]));
      if (begin < cols) {
        last++;
        apex[last] = c;
        from[last] = (int) begin;
      }
    }
    for (int c = cols - 1; c >= 0; c--) {
      squared[rowStart + c] = (int) parabola(c, apex[last], column[rowStart + apex[last]]);
      if (c == from[last]) {
        last--;
      }
    }
  }

  private static long parabola(long c, int apex, long height) {
    long across = c - apex;
    return across * across + height * height;
  }
}
