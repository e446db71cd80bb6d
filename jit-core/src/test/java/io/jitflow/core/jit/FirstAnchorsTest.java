package io.jitflow.core.jit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.jitflow.core.jit.JitConfig.FirstAnchors;
import io.jitflow.core.token.TokenGrid;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class FirstAnchorsTest {
  private static final int[][] GRIDS = {{16, 16}, {17, 23}, {24, 40}, {32, 32}, {33, 31}, {64, 64}};
  private static final double SPREAD_BOUND = 3;

  @Test
  void pattern_strideTwoOnAnOddGrid_isEvenRowsAndColumnsAndTheBorder() {
    TokenGrid grid = new TokenGrid(4, 5);
    assertThat(FirstAnchors.STRIDE_TWO_AND_BORDER.pattern(grid))
        .containsExactly(0, 1, 2, 3, 4, 5, 9, 10, 12, 14, 15, 16, 17, 18, 19);
  }

  @Test
  void select_evenSpread_isTheLatticeThenTheCellCentres() {
    TokenGrid grid = new TokenGrid(6, 6);
    assertThat(FirstAnchors.EVEN_SPREAD.select(grid, 9))
        .containsExactly(0, 2, 4, 12, 14, 16, 24, 26, 28);
    assertThat(Arrays.stream(FirstAnchors.EVEN_SPREAD.select(grid, 18)))
        .allMatch(token -> grid.row(token) % 2 == grid.col(token) % 2);
  }

  @TestFactory
  Stream<DynamicTest> select_ofEveryCount_isDistinctSortedAndKeepsItsFirstPartFirst() {
    return Arrays.stream(new int[][] {{1, 1}, {1, 7}, {7, 1}, {5, 4}, {9, 12}})
        .map(extents -> new TokenGrid(extents[0], extents[1]))
        .map(grid -> DynamicTest.dynamicTest(grid.toString(), () -> checkEveryCount(grid)));
  }

  private static void checkEveryCount(TokenGrid grid) {
    for (FirstAnchors rule : FirstAnchors.values()) {
      Set<Integer> pattern = new HashSet<>();
      Arrays.stream(rule.pattern(grid)).forEach(pattern::add);
      Predicate<Integer> first = t -> rule.tier(grid, grid.row(t), grid.col(t)) == 0;
      long ofFirst = pattern.stream().filter(first).count();
      Set<Integer> before = Set.of();
      for (int count = 1; count <= grid.tokens(); count++) {
        int[] selected = rule.select(grid, count);
        assertThat(selected).hasSize(count).isSorted().doesNotHaveDuplicates();
        Set<Integer> set = new HashSet<>(Arrays.stream(selected).boxed().toList());
        // a larger count adds to a smaller one's set
        assertThat(set).containsAll(before);
        assertThat(set.stream().filter(first).count()).isEqualTo(Math.min(count, ofFirst));
        long ofPattern = set.stream().filter(pattern::contains).count();
        assertThat(ofPattern).isEqualTo(Math.min(count, pattern.size()));
        before = set;
      }
    }
  }

  @Test
  void select_ofTwoFewerThanThePattern_dropsTheSameTwoInnerTokens() {
    // 22 border tokens; of the inner (2,2), (2,4), (4,2), (4,4) the even spread keeps a diagonal
    TokenGrid grid = new TokenGrid(6, 7);
    int[] selected = FirstAnchors.STRIDE_TWO_AND_BORDER.select(grid, 24);
    assertThat(Arrays.stream(selected).filter(token -> !onBorder(grid, token)))
        .containsExactly(grid.index(2, 2), grid.index(4, 4));
  }

  @Test
  void select_borderLargerThanTheRoom_keepsTheLatticeOrTheBorder() {
    TokenGrid grid = new TokenGrid(16, 16);
    int[] lattice = FirstAnchors.STRIDE_TWO_THEN_BORDER.select(grid, 81);
    int[] border = FirstAnchors.STRIDE_TWO_AND_BORDER.select(grid, 81);
    assertThat(Arrays.stream(lattice).filter(token -> !onBorder(grid, token))).hasSize(49);
    assertThat(Arrays.stream(border).filter(token -> !onBorder(grid, token))).hasSize(21);
  }

  /**
   * What is kept of the inner pattern where it is cut (16 x 16, 32 x 32), or added to it where it
   * is filled up (64 x 64), is proportional in every quadrant of the grid, to within {@value
   * #SPREAD_BOUND} tokens.
   */
  @TestFactory
  Stream<DynamicTest> select_atPresetDensities_isEvenOverTheQuadrants() {
    return Arrays.stream(GRIDS)
        .map(extents -> new TokenGrid(extents[0], extents[1]))
        .flatMap(
            grid ->
                Stream.of(0.32, 0.35)
                    .map(
                        density ->
                            DynamicTest.dynamicTest(
                                grid + " at " + density, () -> checkQuadrants(grid, density))));
  }

  private static void checkQuadrants(TokenGrid grid, double density) {
    int count = (int) (grid.tokens() * density);
    FirstAnchors rule = FirstAnchors.STRIDE_TWO_AND_BORDER;
    boolean[] pattern = mask(grid, rule.pattern(grid));
    boolean[] selected = mask(grid, rule.select(grid, count));
    boolean cut = rule.pattern(grid).length > count;
    int[] candidates = new int[5];
    int[] taken = new int[5];
    for (int token = 0; token < grid.tokens(); token++) {
      if (!onBorder(grid, token) && pattern[token] == cut) {
        int quadrant = quadrant(grid, token);
        candidates[quadrant]++;
        candidates[4]++;
        taken[quadrant] += selected[token] ? 1 : 0;
        taken[4] += selected[token] ? 1 : 0;
      }
    }
    double share = (double) taken[4] / candidates[4];
    for (int q = 0; q < 4; q++) {
      assertThat((double) taken[q])
          .as("quadrant %d: %s of %s", q, Arrays.toString(taken), Arrays.toString(candidates))
          .isCloseTo(share * candidates[q], within(SPREAD_BOUND));
    }
  }

  private static boolean[] mask(TokenGrid grid, int[] tokens) {
    boolean[] mask = new boolean[grid.tokens()];
    for (int token : tokens) {
      mask[token] = true;
    }
    return mask;
  }

  private static int quadrant(TokenGrid grid, int token) {
    return (2 * grid.row(token) < grid.rows() ? 0 : 2)
        + (2 * grid.col(token) < grid.cols() ? 0 : 1);
  }

  private static boolean onBorder(TokenGrid grid, int token) {
    int row = grid.row(token);
    int col = grid.col(token);
    return row == 0 || col == 0 || row == grid.rows() - 1 || col == grid.cols() - 1;
  }

  @Test
  void select_ofNoneOrTooMany_isRefusedWithTheNumbers() {
    TokenGrid grid = new TokenGrid(3, 4);
    assertThatThrownBy(() -> FirstAnchors.STRIDE_TWO_AND_BORDER.select(grid, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("from 1 to 12")
        .hasMessageContaining("got 0");
    assertThatThrownBy(() -> FirstAnchors.STRIDE_TWO_AND_BORDER.select(grid, 13))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 x 4")
        .hasMessageContaining("got 13");
  }
}
