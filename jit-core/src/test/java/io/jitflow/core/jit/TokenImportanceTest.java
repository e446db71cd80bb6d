package io.jitflow.core.jit;

import static io.jitflow.core.testing.Arrays32.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.jit.JitConfig.ImportanceBorder;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class TokenImportanceTest {
  private static final List<TokenGrid> GRIDS =
      List.of(
          new TokenGrid(1, 1),
          new TokenGrid(1, 6),
          new TokenGrid(6, 1),
          new TokenGrid(2, 2),
          new TokenGrid(7, 10));

  @TestFactory
  Stream<DynamicTest> map_ofRandomVelocities_equalsBruteForce() {
    return GRIDS.stream()
        .flatMap(
            grid ->
                Arrays.stream(ImportanceBorder.values())
                    .map(
                        border ->
                            DynamicTest.dynamicTest(
                                grid + " " + border,
                                () -> {
                                  try (NDManager manager = NDManager.newBaseManager()) {
                                    Shape shape = new Shape(2, grid.tokens(), 5);
                                    NDArray velocity = new TorchNoise(8).draw(manager, shape);
                                    NDArray map = TokenImportance.map(velocity, grid, border);
                                    assertThat(map.getShape())
                                        .isEqualTo(new Shape(2, grid.tokens()));
                                    float[] expected =
                                        bruteForce(velocity.toFloatArray(), 2, grid, 5, border);
                                    assertClose("map", map.toFloatArray(), expected, 3e-6, 0);
                                  }
                                })));
  }

  @Test
  void map_ofMoreValuesThanAreTakenTogether_equalsBruteForce() {
    TokenGrid grid = new TokenGrid(40, 45);
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray velocity = new TorchNoise(9).draw(manager, new Shape(1, grid.tokens(), 64));
      for (ImportanceBorder border : ImportanceBorder.values()) {
        float[] map = TokenImportance.map(velocity, grid, border).toFloatArray();
        float[] expected = bruteForce(velocity.toFloatArray(), 1, grid, 64, border);
        assertClose(border.name(), map, expected, 3e-6, 0);
      }
    }
  }

  private static float[] bruteForce(
      float[] velocity, int samples, TokenGrid grid, int channels, ImportanceBorder border) {
    float[] map = new float[samples * grid.tokens()];
    for (int place = 0; place < map.length; place++) {
      int sample = place / grid.tokens();
      int token = place % grid.tokens();
      double variance = 0;
      for (int j = 0; j < channels; j++) {
        double sum = 0;
        double squares = 0;
        int seen = 0;
        for (int row = grid.row(token) - 1; row <= grid.row(token) + 1; row++) {
          for (int col = grid.col(token) - 1; col <= grid.col(token) + 1; col++) {
            if (row < 0 || row >= grid.rows() || col < 0 || col >= grid.cols()) {
              continue;
            }
            int at = sample * grid.tokens() + grid.index(row, col);
            double v = velocity[at * channels + j];
            sum += v;
            squares += v * v;
            seen++;
          }
        }
        double window = border == ImportanceBorder.ZERO_PADDED ? 9 : seen;
        variance += squares / window - sum / window * (sum / window);
      }
      map[place] = (float) (variance / channels);
    }
    return map;
  }

  @TestFactory
  Stream<DynamicTest> map_ofAConstantVelocityInsideOnly_isExactlyZero() {
    return Stream.of(0f, 0.1f, -3.7f, 1e-6f, 12345.6f)
        .map(
            value ->
                DynamicTest.dynamicTest(
                    "v = " + value,
                    () -> {
                      TokenGrid grid = new TokenGrid(17, 23);
                      try (NDManager manager = NDManager.newBaseManager()) {
                        NDArray velocity = manager.full(new Shape(2, 391, 3), value);
                        NDArray map =
                            TokenImportance.map(velocity, grid, ImportanceBorder.INSIDE_ONLY);
                        assertThat(map.toFloatArray()).containsOnly(0f);
                      }
                    }));
  }

  @Test
  void map_ofAConstantVelocityZeroPadded_isLargestAtTheCorners() {
    TokenGrid grid = new TokenGrid(5, 5);
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray velocity = manager.ones(new Shape(1, 25, 2));
      float[] map =
          TokenImportance.map(velocity, grid, ImportanceBorder.ZERO_PADDED).toFloatArray();
      assertThat(map[grid.index(2, 2)]).isZero();
      // 4 of 9 inside: 4/9 - (4/9)^2
      assertThat(map[0]).isCloseTo(20f / 81, within(1e-6f));
    }
  }

  @Test
  void select_ofEqualImportance_joinsByIndex() {
    TokenGrid grid = new TokenGrid(3, 4);
    TokenSubset active = TokenSubset.of(grid, new int[] {5, 0});
    TokenSubset next = TokenImportance.select(new float[][] {new float[12]}, active, 6);
    assertThat(next.indices(0)).containsExactly(5, 0, 1, 2, 3, 4);
  }

  @Test
  void select_ofSeveralSamples_ranksEachByItself() {
    TokenGrid grid = new TokenGrid(1, 6);
    TokenSubset active = TokenSubset.of(grid, new int[] {0}, new int[] {5});
    float[][] importance = {{9, 1, 4, 3, 2, 4}, {0.5f, 0.25f, 0, 2, -1, 9}};
    TokenSubset next = TokenImportance.select(importance, active, 4);
    assertThat(next.indices(0)).containsExactly(0, 2, 5, 3);
    assertThat(next.indices(1)).containsExactly(5, 3, 0, 1);
  }

  @Test
  void select_ofAll_joinsTheRestInIndexOrder() {
    TokenGrid grid = new TokenGrid(1, 5);
    TokenSubset active = TokenSubset.of(grid, new int[] {3});
    float[][] importance = {{1, 2, 3, 4, 5}};
    assertThat(TokenImportance.select(importance, active, 5).indices(0))
        .containsExactly(3, 0, 1, 2, 4);
    assertThat(TokenImportance.select(importance, active, 1).indices(0)).containsExactly(3);
  }

  @Test
  void selectEvenly_ofAQuarter_isARegularGrid() {
    TokenGrid grid = new TokenGrid(8, 8);
    TokenSubset active = TokenSubset.of(grid, new int[] {0});
    int[] next = TokenImportance.selectEvenly(active, 16).indices(0);
    assertThat(next).doesNotHaveDuplicates().startsWith(0);
    int[] regular = IntStream.range(0, 64).filter(t -> t / 8 % 2 == 0 && t % 8 % 2 == 0).toArray();
    assertThat(next).containsExactlyInAnyOrder(regular);
  }
}
