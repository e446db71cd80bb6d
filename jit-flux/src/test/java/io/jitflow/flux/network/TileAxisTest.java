package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class TileAxisTest {
  @Test
  void tiles_everyLength_coverItAndWeightsAddUpToOne() {
    for (VaeTiling tiling : new VaeTiling[] {new VaeTiling(8, 2), new VaeTiling(8, 4)}) {
      for (int length = 1; length <= 40; length++) {
        TileAxis axis = new TileAxis(length, tiling, 2);
        double[] sum = new double[2 * length];
        for (int i = 0; i < axis.count(); i++) {
          float[] weights = axis.weights(i);
          assertThat(weights).hasSize(2 * axis.tile());
          for (int x = 0; x < weights.length; x++) {
            assertThat(weights[x]).isPositive();
            sum[2 * axis.start(i) + x] += weights[x];
          }
          if (i > 0) {
            int shared = axis.start(i - 1) + axis.tile() - axis.start(i);
            assertThat(shared).isGreaterThanOrEqualTo(tiling.overlap());
          }
        }
        for (double value : sum) {
          assertThat(value).as("%s over %d", tiling, length).isCloseTo(1, within(1e-6));
        }
      }
    }
  }

  @Test
  void tiles_lengthWithinOneTile_areOneTileOfThatLength() {
    TileAxis axis = new TileAxis(7, new VaeTiling(8, 2), 8);
    assertThat(axis.count()).isEqualTo(1);
    assertThat(axis.tile()).isEqualTo(7);
    assertThat(axis.weights(0)).containsOnly(1f);
  }

  @Test
  void tiles_twoInLine_blendLinearlyOverTheOverlap() {
    TileAxis axis = new TileAxis(14, new VaeTiling(8, 2), 1);
    assertThat(axis.count()).isEqualTo(2);
    assertThat(axis.weights(0)).containsExactly(1, 1, 1, 1, 1, 1, 0.75f, 0.25f);
    assertThat(axis.weights(1)).containsExactly(0.25f, 0.75f, 1, 1, 1, 1, 1, 1);
  }

  @Test
  void tiling_overlapBeyondHalf_isRefused() {
    assertThatThrownBy(() -> new VaeTiling(8, 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1..4")
        .hasMessageContaining("got 5");
  }
}
