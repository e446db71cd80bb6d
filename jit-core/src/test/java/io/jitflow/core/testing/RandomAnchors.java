package io.jitflow.core.testing;

import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Irregular anchor sets and the plain way to their nearest anchors. */
public final class RandomAnchors {
  private RandomAnchors() {}

  /** Returns anchors in random order, without repetition. */
  public static int[] of(Random random, TokenGrid grid, int count) {
    List<Integer> tokens = new ArrayList<>(IntStream.range(0, grid.tokens()).boxed().toList());
    Collections.shuffle(tokens, random);
    return tokens.stream().limit(count).mapToInt(token -> token).toArray();
  }

  /** Returns another set for each sample. */
  public static TokenSubset of(Random random, TokenGrid grid, int count, int samples) {
    int[][] indices = new int[samples][];
    for (int b = 0; b < samples; b++) {
      indices[b] = of(random, grid, count);
    }
    return TokenSubset.of(grid, indices);
  }

  /** Returns the places in the list of all nearest anchors of a token, in O(m). */
  public static List<Integer> nearestPlaces(TokenGrid grid, int[] anchors, int token) {
    List<Integer> nearest = new ArrayList<>();
    int least = Integer.MAX_VALUE;
    for (int k = 0; k < anchors.length; k++) {
      int down = grid.row(anchors[k]) - grid.row(token);
      int right = grid.col(anchors[k]) - grid.col(token);
      int squared = down * down + right * right;
      if (squared < least) {
        least = squared;
        nearest.clear();
      }
      if (squared == least) {
        nearest.add(k);
      }
    }
    return nearest;
  }
}
