package io.jitflow.core.jit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.testing.RandomAnchors;
import io.jitflow.core.token.TokenGrid;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class NearestAnchorsTest {
  @TestFactory
  Stream<DynamicTest> of_randomSets_equalsBruteForce() {
    Random random = new Random(1);
    int[][] grids = {
      {1, 1}, {1, 9}, {9, 1}, {2, 2}, {1, 200}, {200, 1}, {3, 31}, {16, 16}, {23, 17}
    };
    List<DynamicTest> tests = new ArrayList<>();
    for (int[] extents : grids) {
      TokenGrid grid = new TokenGrid(extents[0], extents[1]);
      for (double density : new double[] {0, 0.02, 0.1, 0.32, 0.6, 1}) {
        int count = Math.max(1, (int) (density * grid.tokens()));
        int[] anchors = RandomAnchors.of(random, grid, count);
        tests.add(
            DynamicTest.dynamicTest(
                grid + ", " + count + " anchors", () -> assertEqualsBruteForce(grid, anchors)));
      }
    }
    return tests.stream();
  }

  private static void assertEqualsBruteForce(TokenGrid grid, int[] anchors) {
    NearestAnchors nearest = NearestAnchors.of(grid, anchors);
    for (int token = 0; token < grid.tokens(); token++) {
      List<Integer> found = new ArrayList<>();
      for (int t = 0; t < nearest.ties(token); t++) {
        found.add(nearest.place(token, t));
      }
      assertThat(found)
          .as("token " + token)
          .isEqualTo(RandomAnchors.nearestPlaces(grid, anchors, token));
    }
  }

  @Test
  void of_fourCornersAroundACentre_tiesAllFourInListOrder() {
    NearestAnchors nearest = NearestAnchors.of(new TokenGrid(3, 3), new int[] {8, 0, 2, 6});
    assertThat(nearest.ties(4)).isEqualTo(4);
    for (int t = 0; t < 4; t++) {
      assertThat(nearest.place(4, t)).isEqualTo(t);
    }
  }

  @Test
  void of_oneAnchorAtTheEndOfALongRow_servesEveryPosition() {
    // the squared distance goes up to 2^30 here, with memory that stays O(N)
    TokenGrid grid = new TokenGrid(1, 32_768);
    NearestAnchors nearest = NearestAnchors.of(grid, new int[] {32_767});
    for (int token = 0; token < grid.tokens(); token++) {
      assertThat(nearest.ties(token)).isEqualTo(1);
      assertThat(nearest.place(token, 0)).isZero();
    }
  }

  @Test
  void of_noAnchor_isRefused() {
    assertThatThrownBy(() -> NearestAnchors.of(new TokenGrid(2, 2), new int[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least one anchor");
  }
}
