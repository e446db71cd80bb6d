package io.jitflow.core.jit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.convolutional.Conv2d;
import io.jitflow.core.check.Checks;
import io.jitflow.core.jit.JitConfig.BlurWidth;
import io.jitflow.core.jit.JitConfig.TiedAnchors;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The augmented lifter Pi_k, and the interpolation Phi_k of the micro-flow: spreads values at the
 * anchors over the whole grid (paper, section on the SAG-ODE and appendix B.2).
 *
 * <p>Every position takes the value of its nearest anchor, the field is blurred with a Gaussian,
 * and the anchors keep their exact values. What depends on the anchor set alone is built once, in
 * O(N) memory, and is used for every step of the stage.
 *
 * <p>Owns native index arrays until closed. {@link #lift} may be called from one thread at a time.
 */
/*
 * Lifting is three gathers and a depthwise convolution:
 *   table   the anchors' values, then the means of tied anchors, one group for each number of ties
 *   field   table rows gathered onto the grid with its border already reflected, so that the
 *           convolution needs no padding; channels stay last in memory throughout
 *   blur    one k x k depthwise convolution, or two of k for wide kernels
 *   anchors written back over the blurred field
 */
final class VelocityLifter implements AutoCloseable {
  /** Up to this radius one k x k convolution is faster than a column and a row of k. */
  private static final int SMALL_RADIUS = 3;

  private final TokenSubset anchors;
  private final int radius;
  private final NDManager manager;

  /** For each number of ties, the rows of the first of the tied anchors, of the second, ... */
  private final List<NDArray[]> tiedRows = new ArrayList<>();

  private final NDArray fieldRows;
  private final NDArray anchorRows;
  private final double[] kernel;
  private @Nullable NDList weights;

  /**
   * Builds the lifter of an anchor set.
   *
   * @param parent the parent of the manager that owns the lifter's arrays; its device is used
   * @param anchors the anchors of every sample
   * @param blurWidth the width of the Gaussian
   * @param tiedAnchors what positions with several nearest anchors take
   */
  public VelocityLifter(
      NDManager parent, TokenSubset anchors, BlurWidth blurWidth, TiedAnchors tiedAnchors) {
    this.anchors = anchors;
    double sigma = blurWidth.sigma(anchors.density());
    this.radius = (int) Math.ceil(3 * sigma);
    this.kernel = gaussian(sigma, radius);
    int anchorCount = anchors.samples() * anchors.count();
    int tokens = anchors.grid().tokens();
    int[] rowOf = new int[anchors.samples() * tokens];
    SortedMap<Integer, List<int[]>> groups = new TreeMap<>();
    for (int b = 0; b < anchors.samples(); b++) {
      NearestAnchors nearest = NearestAnchors.of(anchors.grid(), anchors.indices(b));
      for (int token = 0; token < tokens; token++) {
        int count = tiedAnchors == TiedAnchors.AVERAGED ? nearest.ties(token) : 1;
        if (count == 1) {
          rowOf[b * tokens + token] = b * anchors.count() + nearest.place(token, 0);
          continue;
        }
        int[] tied = new int[count + 1];
        tied[count] = b * tokens + token;
        for (int t = 0; t < count; t++) {
          tied[t] = b * anchors.count() + nearest.place(token, t);
        }
        groups.computeIfAbsent(count, key -> new ArrayList<>()).add(tied);
      }
    }
    this.manager = parent.newSubManager();
    int nextRow = anchorCount;
    for (Map.Entry<Integer, List<int[]>> group : groups.entrySet()) {
      NDArray[] rows = new NDArray[group.getKey()];
      for (int t = 0; t < rows.length; t++) {
        int tie = t;
        rows[t] = manager.create(group.getValue().stream().mapToLong(tied -> tied[tie]).toArray());
      }
      tiedRows.add(rows);
      for (int[] tied : group.getValue()) {
        rowOf[tied[rows.length]] = nextRow++;
      }
    }
    this.fieldRows = manager.create(reflected(rowOf));
    this.anchorRows = manager.create(flatIndices(anchors));
  }

  /**
   * Lifts values at the anchors onto the grid, Pi_k.
   *
   * @param values {@code [B, m, d]}, FLOAT32, in the order of the anchor lists; not changed
   * @return {@code [B, N, d]}, FLOAT32, a new array of the values' manager; at the anchors it
   *     equals {@code values} exactly
   */
  public NDArray lift(NDArray values) {
    if (anchors.isFull()) {
      return scatter(values);
    }
    long channels = values.getShape().get(2);
    try (NDManager scratch = values.getManager().newSubManager()) {
      scratch.tempAttachAll(values);
      NDArray rows = values.reshape(anchorRows.size(), channels);
      NDArray field = blur(field(rows, channels), channels).transpose(0, 2, 3, 1);
      return withAnchors(field.reshape(-1, channels), rows, scratch);
    }
  }

  /**
   * Writes values at the anchors into zeros, S_k.
   *
   * @return {@code [B, N, d]}, FLOAT32, a new array of the values' manager; 0 away from the anchors
   */
  public NDArray scatter(NDArray values) {
    long channels = values.getShape().get(2);
    try (NDManager scratch = values.getManager().newSubManager()) {
      scratch.tempAttachAll(values);
      NDArray rows = values.reshape(anchorRows.size(), channels);
      long all = (long) anchors.samples() * anchors.grid().tokens();
      return withAnchors(scratch.zeros(new Shape(all, channels)), rows, scratch);
    }
  }

  private NDArray withAnchors(NDArray field, NDArray rows, NDManager scratch) {
    field.set(new NDIndex("{}", anchorRows), rows);
    NDArray result =
        field.reshape(anchors.samples(), anchors.grid().tokens(), field.getShape().get(1));
    result.attach(scratch.getParentManager());
    return result;
  }

  /**
   * The nearest anchors' values on the grid with reflected borders, [B, d, rows + 2p, cols + 2p].
   */
  private NDArray field(NDArray rows, long channels) {
    NDArray table = rows;
    if (!tiedRows.isEmpty()) {
      NDList parts = new NDList(rows);
      tiedRows.forEach(tied -> parts.add(mean(rows, tied)));
      table = NDArrays.concat(parts, 0);
      parts.subNDList(1).close();
    }
    NDArray field = table.get(new NDIndex("{}", fieldRows));
    if (table != rows) {
      table.close();
    }
    TokenGrid grid = anchors.grid();
    return field
        .reshape(anchors.samples(), grid.rows() + 2L * radius, grid.cols() + 2L * radius, channels)
        .transpose(0, 3, 1, 2);
  }

  /** The means of tied anchors; one gather at a time, so that only one is held beside the sum. */
  private static NDArray mean(NDArray rows, NDArray[] tied) {
    NDArray sum = rows.get(new NDIndex("{}", tied[0]));
    for (int t = 1; t < tied.length; t++) {
      try (NDArray other = rows.get(new NDIndex("{}", tied[t]))) {
        sum.addi(other);
      }
    }
    return sum.divi(tied.length);
  }

  private NDArray blur(NDArray field, long channels) {
    if (weights == null || weights.get(0).getShape().get(0) != channels) {
      weights = weights(channels);
    }
    NDArray blurred = field;
    for (NDArray weight : weights) {
      blurred =
          Conv2d.conv2d(
                  blurred,
                  weight,
                  null,
                  new Shape(1, 1),
                  new Shape(0, 0),
                  new Shape(1, 1),
                  (int) channels)
              .singletonOrThrow();
    }
    return blurred;
  }

  private NDList weights(long channels) {
    int size = kernel.length;
    if (radius > SMALL_RADIUS) {
      float[] one = new float[size];
      for (int i = 0; i < size; i++) {
        one[i] = (float) kernel[i];
      }
      return new NDList(
          manager.create(one, new Shape(1, 1, size, 1)).repeat(0, channels),
          manager.create(one, new Shape(1, 1, 1, size)).repeat(0, channels));
    }
    float[] both = new float[size * size];
    for (int r = 0; r < size; r++) {
      for (int c = 0; c < size; c++) {
        both[r * size + c] = (float) (kernel[r] * kernel[c]);
      }
    }
    return new NDList(manager.create(both, new Shape(1, 1, size, size)).repeat(0, channels));
  }

  /**
   * Table rows of the grid extended by the kernel's radius, reflected without repeating the edge.
   */
  private long[] reflected(int[] rowOf) {
    TokenGrid grid = anchors.grid();
    int paddedRows = grid.rows() + 2 * radius;
    int paddedCols = grid.cols() + 2 * radius;
    long places = (long) anchors.samples() * paddedRows * paddedCols;
    Checks.argument(
        places <= Integer.MAX_VALUE - 8,
        "%s with a blur of radius %d make %d places, more than one array holds; sample fewer at a"
            + " time or use more anchors",
        anchors,
        radius,
        places);
    long[] padded = new long[(int) places];
    int next = 0;
    for (int b = 0; b < anchors.samples(); b++) {
      for (int r = 0; r < paddedRows; r++) {
        int row = reflect(r - radius, grid.rows());
        for (int c = 0; c < paddedCols; c++) {
          int col = reflect(c - radius, grid.cols());
          padded[next++] = rowOf[b * grid.tokens() + grid.index(row, col)];
        }
      }
    }
    return padded;
  }

  /** Reflection that also serves kernels wider than the grid: the grid repeats with its mirror. */
  private static int reflect(int position, int size) {
    if (size == 1) {
      return 0;
    }
    int period = 2 * (size - 1);
    int inside = Math.floorMod(position, period);
    return inside < size ? inside : period - inside;
  }

  private static double[] gaussian(double sigma, int radius) {
    double[] kernel = new double[2 * radius + 1];
    double sum = 0;
    for (int i = -radius; i <= radius; i++) {
      kernel[i + radius] = Math.exp(-(double) i * i / (2 * sigma * sigma));
      sum += kernel[i + radius];
    }
    for (int i = 0; i < kernel.length; i++) {
      kernel[i] /= sum;
    }
    return kernel;
  }

  /** Rows of the flattened tokens [B * N, d] that a subset stands for. */
  static long[] flatIndices(TokenSubset subset) {
    long[] flat = new long[subset.samples() * subset.count()];
    int next = 0;
    for (int b = 0; b < subset.samples(); b++) {
      for (int k = 0; k < subset.count(); k++) {
        flat[next++] = (long) b * subset.grid().tokens() + subset.index(b, k);
      }
    }
    return flat;
  }

  /** Frees the lifter's native arrays. */
  @Override
  public void close() {
    manager.close();
  }
}
