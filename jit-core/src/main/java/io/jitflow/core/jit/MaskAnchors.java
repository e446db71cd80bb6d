package io.jitflow.core.jit;

import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Anchors for runs in which a part of the picture is known: every known token is an anchor from the
 * start, since its velocity is known too, and the stages' densities apply to the tokens that are
 * drawn anew. Those at the edge of the known part and a regular pattern come first.
 */
final class MaskAnchors {
  private MaskAnchors() {}

  /** As {@link JitConfig#anchors}. */
  static TokenSubset[] of(List<Stage> stages, TokenGrid grid, boolean[] drawn) {
    Checks.argument(
        drawn.length == grid.tokens(),
        "a mask for a grid of %s has %d tokens, got %d",
        grid,
        grid.tokens(),
        drawn.length);
    int[] order =
        IntStream.range(0, drawn.length)
            .filter(token -> drawn[token])
            .boxed()
            .sorted(
                Comparator.comparingInt((Integer token) -> tier(grid, drawn, token))
                    .thenComparingLong(token -> EvenSpread.rank(grid.row(token), grid.col(token))))
            .mapToInt(token -> token)
            .toArray();
    Checks.argument(order.length != 0, "the mask leaves no token to draw");
    int[] known = IntStream.range(0, drawn.length).filter(token -> !drawn[token]).toArray();
    TokenSubset[] anchors = new TokenSubset[stages.size()];
    int count = 0;
    for (int s = 0; s < anchors.length; s++) {
      int wanted = (int) Math.ceil(stages.get(s).density() * order.length);
      count = Math.min(order.length, Math.max(wanted, count + 1));
      int[] set = Arrays.copyOf(known, known.length + count);
      System.arraycopy(order, 0, set, known.length, count);
      Arrays.sort(set);
      anchors[s] = TokenSubset.of(grid, set);
    }
    return anchors;
  }

  /** Lattice first, then the edge of the known part, then the rest. */
  private static int tier(TokenGrid grid, boolean[] drawn, int token) {
    int row = grid.row(token);
    int col = grid.col(token);
    if (row % 2 == 0 && col % 2 == 0) {
      return 0;
    }
    for (int r = Math.max(0, row - 1); r <= Math.min(grid.rows() - 1, row + 1); r++) {
      for (int c = Math.max(0, col - 1); c <= Math.min(grid.cols() - 1, col + 1); c++) {
        if (!drawn[r * grid.cols() + c]) {
          return 1;
        }
      }
    }
    return 2;
  }
}
