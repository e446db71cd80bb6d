package io.jitflow.examples.bench;

import java.util.Arrays;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * Fréchet distance between the Gaussians that have the means and covariances of two sets.
 *
 * <p>{@code |m - n|^2 + tr(A) + tr(B) - 2 tr((A^(1/2) B A^(1/2))^(1/2))} (Dowson and Landau 1982;
 * for pictures Heusel et al. 2017). It falls with the number of samples: compare sets of one size,
 * and with the distance between two sets of the same origin. Immutable.
 */
public final class FrechetDistance {
  private final double[] mean;
  private final DMatrixRMaj covariance;

  /** Square root of the covariance. */
  private final DMatrixRMaj root;

  private FrechetDistance(double[] mean, DMatrixRMaj covariance) {
    this.mean = mean;
    this.covariance = covariance;
    this.root = symmetricRoot(covariance);
  }

  /**
   * The reference that sets are compared with.
   *
   * @param samples at least two, all of one length; not changed
   */
  public static FrechetDistance to(List<double[]> samples) {
    return to(Moments.of(samples));
  }

  /** The same, of a set that is known by its moments only. */
  public static FrechetDistance to(Moments samples) {
    double[] mean = mean(samples);
    return new FrechetDistance(mean, covariance(samples, mean));
  }

  /**
   * The distance of a set from the reference.
   *
   * @param samples at least two, as long as those of the reference
   * @return the squared distance, as is usual
   */
  public double of(List<double[]> samples) {
    return of(Moments.of(samples));
  }

  /** The same, of a set that is known by its moments only. */
  public double of(Moments samples) {
    double[] other = mean(samples);
    if (other.length != mean.length) {
      throw new IllegalArgumentException(
          "the reference has %d features, the samples have %d"
              .formatted(mean.length, other.length));
    }
    double sum = 0;
    for (int i = 0; i < mean.length; i++) {
      sum += (mean[i] - other[i]) * (mean[i] - other[i]);
    }
    DMatrixRMaj second = covariance(samples, other);
    DMatrixRMaj half = new DMatrixRMaj(mean.length, mean.length);
    DMatrixRMaj product = new DMatrixRMaj(mean.length, mean.length);
    CommonOps_DDRM.mult(root, second, half);
    CommonOps_DDRM.mult(half, root, product);
    double common = 0;
    for (double value : eigenvalues(product)) {
      common += Math.sqrt(Math.max(value, 0));
    }
    return sum + CommonOps_DDRM.trace(covariance) + CommonOps_DDRM.trace(second) - 2 * common;
  }

  private static double[] mean(Moments samples) {
    if (samples.count() < 2) {
      throw new IllegalArgumentException(
          "a covariance needs at least two samples, got " + samples.count());
    }
    return Arrays.stream(samples.sum()).map(sum -> sum / samples.count()).toArray();
  }

  private static DMatrixRMaj covariance(Moments samples, double[] mean) {
    DMatrixRMaj covariance = new DMatrixRMaj(mean.length, mean.length);
    int at = 0;
    for (int i = 0; i < mean.length; i++) {
      for (int j = i; j < mean.length; j++) {
        double product = samples.products()[at++] - samples.count() * mean[i] * mean[j];
        covariance.set(i, j, product / (samples.count() - 1));
        covariance.set(j, i, covariance.get(i, j));
      }
    }
    return covariance;
  }

  private static EigenDecomposition_F64<DMatrixRMaj> decompose(
      DMatrixRMaj symmetric, boolean vectors) {
    EigenDecomposition_F64<DMatrixRMaj> eigen =
        DecompositionFactory_DDRM.eig(symmetric.getNumRows(), vectors, true);
    // averaged with its transpose: products are symmetric up to rounding only
    DMatrixRMaj exact = symmetric.copy();
    CommonOps_DDRM.transpose(exact);
    CommonOps_DDRM.add(0.5, symmetric, 0.5, exact, exact);
    if (!eigen.decompose(exact)) {
      throw new IllegalArgumentException("a covariance has no eigenvalues: is a feature NaN?");
    }
    return eigen;
  }

  private static double[] eigenvalues(DMatrixRMaj symmetric) {
    EigenDecomposition_F64<DMatrixRMaj> eigen = decompose(symmetric, false);
    double[] values = new double[symmetric.getNumRows()];
    for (int i = 0; i < values.length; i++) {
      values[i] = eigen.getEigenvalue(i).getReal();
    }
    return values;
  }

  private static DMatrixRMaj symmetricRoot(DMatrixRMaj symmetric) {
    EigenDecomposition_F64<DMatrixRMaj> eigen = decompose(symmetric, true);
    int n = symmetric.getNumRows();
    DMatrixRMaj vectors = new DMatrixRMaj(n, n);
    DMatrixRMaj scaled = new DMatrixRMaj(n, n);
    for (int i = 0; i < n; i++) {
      double root = Math.sqrt(Math.max(eigen.getEigenvalue(i).getReal(), 0));
      DMatrixRMaj vector = eigen.getEigenVector(i);
      for (int row = 0; row < n; row++) {
        vectors.set(row, i, vector.get(row));
        scaled.set(row, i, vector.get(row) * root);
      }
    }
    DMatrixRMaj root = new DMatrixRMaj(n, n);
    CommonOps_DDRM.multTransB(scaled, vectors, root);
    return root;
  }
}
