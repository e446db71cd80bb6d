package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrechetDistanceTest {

  /** Four points with the given mean and deviations along the axes; exact covariance. */
  private static List<double[]> cross(double x, double y, double sx, double sy) {
    return cross(x, y, sx, sy, 0);
  }

  /** The same, turned about its mean; the turn is the sine of an angle. */
  private static List<double[]> cross(double x, double y, double sx, double sy, double sine) {
    double cosine = Math.sqrt(1 - sine * sine);
    double a = sx * Math.sqrt(1.5);
    double b = sy * Math.sqrt(1.5);
    return List.of(
        new double[] {x - a * cosine, y - a * sine},
        new double[] {x + a * cosine, y + a * sine},
        new double[] {x + b * sine, y - b * cosine},
        new double[] {x - b * sine, y + b * cosine});
  }

  @Test
  void of_itself_isZero() {
    List<double[]> set = random(new Random(1), 200, 12);
    assertThat(FrechetDistance.to(set).of(set)).isCloseTo(0, within(1e-9));
  }

  @Test
  void of_diagonalGaussians_isTheClosedForm() {
    // |m - n|^2 + (s - t)^2 summed over the axes
    double distance = FrechetDistance.to(cross(0, 0, 1, 2)).of(cross(3, 4, 2, 5));
    assertThat(distance).isCloseTo(25 + 1 + 9, within(1e-9));
  }

  /**
   * Covariances A of deviations 1 and 2 along the axes, B of 2 and 5 along axes that are turned by
   * the angle of a triangle of sides 3, 4, 5. They do not commute. The trace of the root of a 2 x 2
   * matrix M is the root of {@code tr M + 2 sqrt(det M)}; here M = AB, det A = 2^2, det B = 10^2.
   */
  @Test
  void of_gaussiansOfDifferentAxes_isTheClosedForm() {
    double b11 = 4 * 0.64 + 25 * 0.36;
    double b22 = 4 * 0.36 + 25 * 0.64;
    double traceOfProduct = b11 + 4 * b22;
    double rootOfDeterminant = 2 * 10;
    double expected = 25 + 5 + 29 - 2 * Math.sqrt(traceOfProduct + 2 * rootOfDeterminant);
    List<double[]> along = cross(0, 0, 1, 2);
    List<double[]> turned = cross(3, 4, 2, 5, 0.6);
    assertThat(FrechetDistance.to(along).of(turned)).isCloseTo(expected, within(1e-9));
    assertThat(FrechetDistance.to(turned).of(along)).isCloseTo(expected, within(1e-9));
  }

  @Test
  void of_fewerSamplesThanFeatures_isFiniteAndPositive() {
    Random random = new Random(2);
    FrechetDistance reference = FrechetDistance.to(random(random, 100, 20));
    assertThat(reference.of(random(random, 5, 20))).isPositive().isFinite();
  }

  @Test
  void of_otherLength_saysBoth() {
    FrechetDistance reference = FrechetDistance.to(random(new Random(3), 10, 4));
    assertThatThrownBy(() -> reference.of(random(new Random(4), 10, 5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the reference has 4 features, the samples have 5");
  }

  @Test
  void to_oneSample_saysWhatIsNeeded() {
    assertThatThrownBy(() -> FrechetDistance.to(List.of(new double[3])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a covariance needs at least two samples, got 1");
  }

  @Test
  void of_momentsOfParts_isThatOfTheWhole() {
    Random random = new Random(5);
    List<double[]> first = random(random, 30, 6);
    List<double[]> second = random(random, 20, 6);
    List<double[]> both = new ArrayList<>(first);
    both.addAll(second);
    FrechetDistance reference = FrechetDistance.to(random(random, 40, 6));
    Moments joined = Moments.together(List.of(Moments.of(first), Moments.of(second)));
    assertThat(reference.of(joined)).isCloseTo(reference.of(both), within(1e-12));
    assertThat(joined.count()).isEqualTo(50);
  }

  private static List<double[]> random(Random random, int count, int length) {
    List<double[]> set = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      set.add(random.doubles(length).toArray());
    }
    return set;
  }
}
