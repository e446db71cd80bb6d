package io.jitflow.examples.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.VelocityModel;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * A model whose answers are known exactly, so that what a sampler loses is the sampler's loss.
 *
 * <p>The picture is a stationary Gaussian random field on the token grid, with unit variance and
 * the power spectrum {@code (f^2 + f0^2)^(-alpha/2)} of natural pictures. The model returns the
 * velocity of the true posterior mean given the tokens it sees, all of them or only the anchors:
 * what a transformer that has learnt everything would return.
 *
 * <p>One thread at a time.
 */
/*
 * The field is cut out of a torus of twice the extents, whose covariance is the transform of the
 * spectrum; f counts cycles per two grid sides. For the tokens A at noise level s
 *   x0_hat = (1-s) C_AA ((1-s)^2 C_AA + s^2 I)^-1 y_A,   v = (y_A - x0_hat) / s,
 * one eigendecomposition of C_AA per set of tokens.
 *
 * Everything is linear, so a sampler is a matrix M from its noise to its result, which then is
 * N(0, M M^T); the Frechet distance to the true N(0, C) is
 *   FD = (tr C + tr P - 2 tr (C^1/2 P C^1/2)^1/2) / N,  P = M M^T.
 * M comes from the sampler itself: N channels whose noise is the identity matrix (channel c is 1 at
 * token c) have the columns of M as their results; a second run does the same for the transition
 * noise, if the sampler needs it. Anchors must not depend on the noise (Activation.EVEN_SPREAD). A
 * sampler that weighs its history by products over all channels, as VelocityEstimation does, sees
 * their mean: its row is the limit of many channels. With the exact micro-flow nothing reads the
 * initial noise of a token before it joins, so that TransitionNoise.INITIAL has the distribution of
 * fresh noise and one run tells all.
 */
public final class ExactWorld implements VelocityModel, AutoCloseable {
  private static final double SMALLEST_EIGENVALUE = 1e-9;

  private final NDManager manager;
  private final TokenGrid grid;
  private final double[][] covariance;
  private final Map<TokenSubset, Spectrum> spectra = new HashMap<>();
  private double trace;
  private NDArray root;

  /** The eigenvectors (columns) and eigenvalues of the covariance of some tokens. */
  private static final class Spectrum {
    private final NDArray vectors;
    private final double[] values;

    Spectrum(NDArray vectors, double[] values) {
      this.vectors = vectors;
      this.values = values;
    }
  }

  /**
   * Makes a world.
   *
   * @param parent the parent of its arrays' manager
   * @param grid the token grid
   * @param alpha the slope of the spectrum; pictures have about 2
   * @param f0 the frequency below which the spectrum is flat
   */
  public ExactWorld(NDManager parent, TokenGrid grid, double alpha, double f0) {
    this.manager = parent.newSubManager();
    this.grid = grid;
    this.covariance = covariance(grid, alpha, f0);
  }

  /** The covariance of two tokens by their distance in rows and in columns. */
  private static double[][] covariance(TokenGrid grid, double alpha, double f0) {
    int rows = 2 * grid.rows();
    int cols = 2 * grid.cols();
    double side = Math.max(grid.rows(), grid.cols());
    double[][] half = new double[rows][grid.cols()];
    for (int k = 0; k < rows; k++) {
      double fr = (double) Math.min(k, rows - k) / rows * side;
      for (int l = 0; l < cols; l++) {
        double fc = (double) Math.min(l, cols - l) / cols * side;
        double power = Math.pow(fr * fr + fc * fc + f0 * f0, -alpha / 2);
        for (int dx = 0; dx < grid.cols(); dx++) {
          half[k][dx] += power * Math.cos(2 * Math.PI * l * dx / cols);
        }
      }
    }
    double[][] covariance = new double[grid.rows()][grid.cols()];
    for (int dy = 0; dy < grid.rows(); dy++) {
      for (int k = 0; k < rows; k++) {
        double wave = Math.cos(2 * Math.PI * k * dy / rows);
        for (int dx = 0; dx < grid.cols(); dx++) {
          covariance[dy][dx] += wave * half[k][dx];
        }
      }
    }
    double variance = covariance[0][0];
    for (double[] row : covariance) {
      for (int dx = 0; dx < row.length; dx++) {
        row[dx] /= variance;
      }
    }
    return covariance;
  }

  private double covariance(int a, int b) {
    return covariance[Math.abs(grid.row(a) - grid.row(b))][Math.abs(grid.col(a) - grid.col(b))];
  }

  /** The covariance of tokens of this grid, or of 2 x 2 means on the grid of half its extents. */
  private double covariance(TokenGrid of, int a, int b) {
    if (of.equals(grid)) {
      return covariance(a, b);
    }
    double sum = 0;
    for (int p = 0; p < 4; p++) {
      for (int q = 0; q < 4; q++) {
        sum += covariance(finer(of, a, p), finer(of, b, q));
      }
    }
    return sum / 16;
  }

  private int finer(TokenGrid coarse, int token, int part) {
    return grid.index(2 * coarse.row(token) + part / 2, 2 * coarse.col(token) + part % 2);
  }

  private Spectrum spectrum(TokenSubset tokens) {
    TokenGrid of = tokens.grid();
    if (!of.equals(grid) && !new TokenGrid(2 * of.rows(), 2 * of.cols()).equals(grid)) {
      throw new IllegalArgumentException(
          "this world has a grid of %s and one of half its extents, not %s".formatted(grid, of));
    }
    TokenSubset one = TokenSubset.of(of, tokens.indices(0));
    return spectra.computeIfAbsent(one, this::decompose);
  }

  private Spectrum decompose(TokenSubset tokens) {
    int[] indices = tokens.indices(0);
    int m = indices.length;
    DMatrixRMaj matrix = new DMatrixRMaj(m, m);
    for (int i = 0; i < m; i++) {
      for (int j = 0; j <= i; j++) {
        double value = covariance(tokens.grid(), indices[i], indices[j]);
        matrix.unsafe_set(i, j, value);
        matrix.unsafe_set(j, i, value);
      }
    }
    EigenDecomposition_F64<DMatrixRMaj> eigen = eigen(matrix, true);
    double[] values = new double[m];
    double[] vectors = new double[m * m];
    for (int k = 0; k < m; k++) {
      values[k] = Math.max(SMALLEST_EIGENVALUE, eigen.getEigenvalue(k).getReal());
      DMatrixRMaj vector = eigen.getEigenVector(k);
      for (int i = 0; i < m; i++) {
        vectors[i * m + k] = vector.get(i);
      }
    }
    return new Spectrum(manager.create(vectors, new Shape(m, m)), values);
  }

  private static EigenDecomposition_F64<DMatrixRMaj> eigen(DMatrixRMaj matrix, boolean vectors) {
    EigenDecomposition_F64<DMatrixRMaj> eigen =
        DecompositionFactory_DDRM.eig(matrix.numRows, vectors, true);
    if (!eigen.decompose(matrix)) {
      throw new ArithmeticException("an eigendecomposition did not converge");
    }
    return eigen;
  }

  @Override
  public NDArray velocity(NDArray tokens, ActiveTokens at, double sigma) {
    Spectrum spectrum = spectrum(at.subset());
    double[] w = spectrum.values;
    double signal = 1 - sigma;
    double[] gains = new double[w.length];
    Arrays.setAll(gains, k -> signal * w[k] / (signal * signal * w[k] + sigma * sigma));
    NDManager owner = tokens.getManager();
    try (NDManager scratch = owner.newSubManager()) {
      NDArray vectors = spectrum.vectors;
      scratch.tempAttachAll(tokens, vectors); // what is computed from them must not outlive this
      NDArray y = tokens.get(0).toType(DataType.FLOAT64, false);
      NDArray modes = vectors.transpose().matMul(y);
      NDArray clean = vectors.matMul(modes.mul(scratch.create(gains).reshape(w.length, 1)));
      NDArray velocity = y.sub(clean).div(sigma).toType(DataType.FLOAT32, false).expandDims(0);
      velocity.attach(owner);
      return velocity;
    }
  }

  /**
   * The Frechet distance per token of a sampler's results to the world's pictures.
   *
   * @param sampler one whose anchors do not depend on the noise
   */
  public double frechet(Sampler sampler) {
    try (NDManager run = manager.newSubManager()) {
      NDArray identity = run.eye(grid.tokens()).expandDims(0);
      NDArray zeros = identity.zerosLike();
      if (!sampler.usesTransitionNoise()) {
        return frechet(results(sampler, identity, zeros));
      }
      NDArray ofNoise = results(sampler, identity, zeros);
      NDArray ofTransitionNoise = results(sampler, zeros, identity);
      return frechet(ofNoise.concat(ofTransitionNoise, 1));
    }
  }

  private NDArray results(Sampler sampler, NDArray noise, NDArray transitionNoise) {
    SamplingRequest request = SamplingRequest.of(noise, grid).withTransitionNoise(transitionNoise);
    return sampler.sample(this, request).get(0).toType(DataType.FLOAT64, false);
  }

  private double frechet(NDArray matrix) {
    int n = grid.tokens();
    if (root == null) {
      Spectrum all = spectrum(TokenSubset.all(grid, 1));
      NDArray scaled = all.vectors.mul(manager.create(all.values).sqrt().reshape(1, n));
      root = scaled.matMul(all.vectors.transpose());
      trace = IntStream.range(0, n).mapToDouble(token -> covariance(token, token)).sum();
    }
    double[] gram;
    double power;
    try (NDManager scratch = manager.newSubManager()) {
      scratch.tempAttachAll(root, matrix);
      NDArray product = root.matMul(matrix);
      gram = product.matMul(product.transpose()).toDoubleArray();
      power = matrix.square().sum().getDouble();
    }
    EigenDecomposition_F64<DMatrixRMaj> eigen = eigen(DMatrixRMaj.wrap(n, n, gram), false);
    double roots = 0;
    for (int k = 0; k < n; k++) {
      roots += Math.sqrt(Math.max(0, eigen.getEigenvalue(k).getReal()));
    }
    return (trace + power - 2 * roots) / n;
  }

  /** The worlds of the published table: slopes 2, 2.5 and 3, f0 = 0.25. */
  public static List<ExactWorld> worlds(NDManager parent, TokenGrid grid) {
    return List.of(2.0, 2.5, 3.0).stream()
        .map(alpha -> new ExactWorld(parent, grid, alpha, 0.25))
        .toList();
  }

  @Override
  public void close() {
    manager.close();
  }
}
