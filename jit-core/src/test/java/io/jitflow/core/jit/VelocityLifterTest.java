package io.jitflow.core.jit;

import static io.jitflow.core.testing.Arrays32.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.jit.JitConfig.BlurWidth;
import io.jitflow.core.jit.JitConfig.TiedAnchors;
import io.jitflow.core.testing.RandomAnchors;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class VelocityLifterTest {
  /** Sums of up to some hundred products of numbers below 5, in float32. */
  private static final double FIELD = 1e-5;

  private record Case(
      TokenSubset anchors, int channels, BlurWidth blurWidth, TiedAnchors tiedAnchors) {
    @Override
    public String toString() {
      return "%s, %d channels, %s, %s".formatted(anchors, channels, blurWidth, tiedAnchors);
    }
  }

  /** Grids of one row, kernels wider than the grid, single anchors and full sets among them. */
  private static Stream<Case> cases() {
    Random random = new Random(2);
    int[][] grids = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {1, 40}, {3, 31}, {13, 12}, {17, 23}};
    List<Case> cases = new ArrayList<>();
    for (int[] extents : grids) {
      TokenGrid grid = new TokenGrid(extents[0], extents[1]);
      for (double density : new double[] {0, 0.05, 0.32, 0.6, 1}) {
        int count = Math.max(1, (int) (density * grid.tokens()));
        for (BlurWidth blurWidth : BlurWidth.values()) {
          for (TiedAnchors tied : TiedAnchors.values()) {
            int samples = 1 + random.nextInt(3);
            int channels = 1 + random.nextInt(5);
            cases.add(
                new Case(
                    RandomAnchors.of(random, grid, count, samples), channels, blurWidth, tied));
          }
        }
      }
    }
    return cases.stream();
  }

  private static NDArray values(NDManager manager, TokenSubset anchors, int channels, long seed) {
    Shape shape = new Shape(anchors.samples(), anchors.count(), channels);
    return new TorchNoise(seed).draw(manager, shape);
  }

  /** What is asserted of one lifter. */
  private interface Assertion {
    void check(NDManager manager, VelocityLifter lifter, Case c);
  }

  private static Stream<DynamicTest> forEachCase(Assertion assertion) {
    return cases()
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.toString(),
                    () -> {
                      try (NDManager manager = NDManager.newBaseManager();
                          VelocityLifter lifter =
                              new VelocityLifter(manager, c.anchors, c.blurWidth, c.tiedAnchors)) {
                        assertion.check(manager, lifter, c);
                      }
                    }));
  }

  @TestFactory
  Stream<DynamicTest> lift_ofRandomSets_returnsTheAnchorsExactly() {
    return forEachCase(
        (manager, lifter, c) -> {
          NDArray values = values(manager, c.anchors, c.channels, 3);
          float[] before = values.toFloatArray();
          float[] field = lifter.lift(values).toFloatArray();
          assertThat(atAnchors(field, c)).isEqualTo(before);
          assertThat(values.toFloatArray()).as("input").isEqualTo(before);
        });
  }

  private static float[] atAnchors(float[] field, Case c) {
    int tokens = c.anchors.grid().tokens();
    float[] read = new float[c.anchors.samples() * c.anchors.count() * c.channels];
    int next = 0;
    for (int b = 0; b < c.anchors.samples(); b++) {
      for (int k = 0; k < c.anchors.count(); k++) {
        for (int j = 0; j < c.channels; j++) {
          read[next++] = field[(b * tokens + c.anchors.index(b, k)) * c.channels + j];
        }
      }
    }
    return read;
  }

  @TestFactory
  Stream<DynamicTest> lift_ofRandomSets_equalsBruteForce() {
    return forEachCase(
        (manager, lifter, c) -> {
          NDArray values = values(manager, c.anchors, c.channels, 4);
          float[] field = lifter.lift(values).toFloatArray();
          assertClose("field", field, bruteForce(values, c), FIELD, 0);
        });
  }

  /** Every position against every anchor, then every position under the whole kernel. */
  private static float[] bruteForce(NDArray values, Case c) {
    float[] u = values.toFloatArray();
    TokenGrid grid = c.anchors.grid();
    double rho = (double) c.anchors.count() / grid.tokens();
    double sigma = 0.4 * Math.sqrt(1 / rho);
    if (c.blurWidth == BlurWidth.CLIPPED) {
      sigma = Math.max(1, Math.min(10, sigma));
    }
    float[] lifted = new float[c.anchors.samples() * grid.tokens() * c.channels];
    for (int b = 0; b < c.anchors.samples(); b++) {
      int[] anchors = c.anchors.indices(b);
      boolean[] isAnchor = c.anchors.mask(b);
      List<List<Integer>> nearest = new ArrayList<>();
      for (int token = 0; token < grid.tokens(); token++) {
        nearest.add(RandomAnchors.nearestPlaces(grid, anchors, token));
      }
      for (int j = 0; j < c.channels; j++) {
        double[] sparse = new double[grid.tokens()];
        for (int token = 0; token < grid.tokens(); token++) {
          List<Integer> places = nearest.get(token);
          int used = c.tiedAnchors == TiedAnchors.AVERAGED ? places.size() : 1;
          for (int t = 0; t < used; t++) {
            sparse[token] += u[(b * anchors.length + places.get(t)) * c.channels + j] / used;
          }
        }
        for (int token = 0; token < grid.tokens(); token++) {
          double value = isAnchor[token] ? sparse[token] : blurred(grid, sparse, token, sigma);
          lifted[(b * grid.tokens() + token) * c.channels + j] = (float) value;
        }
      }
    }
    return lifted;
  }

  private static double blurred(TokenGrid grid, double[] field, int token, double sigma) {
    int radius = (int) Math.ceil(3 * sigma);
    double sum = 0;
    double weights = 0;
    for (int dr = -radius; dr <= radius; dr++) {
      for (int dc = -radius; dc <= radius; dc++) {
        double weight = Math.exp(-(dr * dr + dc * dc) / (2 * sigma * sigma));
        int row = bounce(grid.row(token), dr, grid.rows());
        int col = bounce(grid.col(token), dc, grid.cols());
        sum += weight * field[grid.index(row, col)];
        weights += weight;
      }
    }
    return sum / weights;
  }

  /** Walks one position at a time and turns at the ends. */
  private static int bounce(int from, int by, int size) {
    if (size == 1) {
      return 0;
    }
    int position = from;
    int direction = Integer.signum(by);
    for (int i = 0; i < Math.abs(by); i++) {
      if (position + direction < 0 || position + direction >= size) {
        direction = -direction;
      }
      position += direction;
    }
    return position;
  }

  @Test
  void lift_ofAConstant_isTheConstant() {
    TokenGrid grid = new TokenGrid(9, 14);
    try (NDManager manager = NDManager.newBaseManager();
        VelocityLifter lifter =
            new VelocityLifter(
                manager,
                RandomAnchors.of(new Random(5), grid, 30, 1),
                BlurWidth.UNCLIPPED,
                TiedAnchors.AVERAGED)) {
      NDArray field = lifter.lift(manager.ones(new Shape(1, 30, 4)));
      assertClose("field", field, manager.ones(new Shape(1, 126, 4)), 1e-6);
    }
  }

  @Test
  void lift_averagingTies_doesNotDependOnTheListOrder() {
    TokenGrid grid = new TokenGrid(3, 3);
    int[] corners = {0, 2, 6, 8};
    int[] reversed = {8, 6, 2, 0};
    float[] values = {1, 2, 3, 4};
    float[] valuesReversed = {4, 3, 2, 1};
    assertThat(centre(grid, corners, values, TiedAnchors.AVERAGED))
        .isEqualTo(centre(grid, reversed, valuesReversed, TiedAnchors.AVERAGED));
    assertThat(centre(grid, corners, values, TiedAnchors.FIRST_IN_LIST))
        .isNotEqualTo(centre(grid, reversed, valuesReversed, TiedAnchors.FIRST_IN_LIST));
  }

  private static float centre(TokenGrid grid, int[] anchors, float[] values, TiedAnchors tied) {
    try (NDManager manager = NDManager.newBaseManager();
        VelocityLifter lifter =
            new VelocityLifter(manager, TokenSubset.of(grid, anchors), BlurWidth.UNCLIPPED, tied)) {
      return lifter.lift(manager.create(values, new Shape(1, 4, 1))).toFloatArray()[4];
    }
  }

  @Test
  void lift_withAnotherChannelCount_adaptsItsKernel() {
    TokenGrid grid = new TokenGrid(6, 6);
    TokenSubset anchors = RandomAnchors.of(new Random(6), grid, 9, 1);
    try (NDManager manager = NDManager.newBaseManager();
        VelocityLifter lifter =
            new VelocityLifter(manager, anchors, BlurWidth.CLIPPED, TiedAnchors.AVERAGED)) {
      for (int channels : new int[] {3, 1, 3}) {
        NDArray values = values(manager, anchors, channels, 7);
        Case c = new Case(anchors, channels, BlurWidth.CLIPPED, TiedAnchors.AVERAGED);
        assertClose("field", lifter.lift(values).toFloatArray(), bruteForce(values, c), FIELD, 0);
      }
    }
  }

  @Test
  void scatter_ofValues_isZeroAwayFromTheAnchors() {
    TokenGrid grid = new TokenGrid(2, 3);
    try (NDManager manager = NDManager.newBaseManager();
        VelocityLifter lifter =
            new VelocityLifter(
                manager,
                TokenSubset.of(grid, new int[] {4, 1}),
                BlurWidth.CLIPPED,
                TiedAnchors.AVERAGED)) {
      NDArray scattered = lifter.scatter(manager.create(new float[] {7, 8}, new Shape(1, 2, 1)));
      assertThat(scattered.toFloatArray()).containsExactly(0, 8, 0, 0, 7, 0);
    }
  }

  @Test
  void sigma_ofTheBlurWidths_followsTheDensity() {
    assertThat(BlurWidth.UNCLIPPED.sigma(0.25)).isEqualTo(0.8);
    assertThat(BlurWidth.CLIPPED.sigma(0.25)).isEqualTo(1);
    assertThat(BlurWidth.CLIPPED.sigma(1e-4)).isEqualTo(10);
    assertThat(BlurWidth.CLIPPED.sigma(0.04)).isEqualTo(2);
  }
}
