package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;

class PictureMetricsTest {
  private static final int SIDE = 32;

  private static BufferedImage grey(IntBinaryOperator level) {
    BufferedImage picture = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < SIDE; y++) {
      for (int x = 0; x < SIDE; x++) {
        picture.setRGB(x, y, 0x010101 * level.applyAsInt(x, y));
      }
    }
    return picture;
  }

  @Test
  void structuralSimilarity_ofEqualPictures_isOneAndFallsWithBlurAndNoise() {
    BufferedImage waves = grey((x, y) -> 128 + (int) (100 * Math.sin(x) * Math.cos(y)));
    BufferedImage flat = grey((x, y) -> 128);
    BufferedImage weaker = grey((x, y) -> 128 + (int) (50 * Math.sin(x) * Math.cos(y)));
    BufferedImage other = grey((x, y) -> 128 + (int) (100 * Math.cos(x) * Math.sin(y)));
    assertThat(PictureMetrics.structuralSimilarity(waves, waves)).isCloseTo(1, within(1e-12));
    assertThat(PictureMetrics.structuralSimilarity(waves, weaker)).isBetween(0.7, 0.9);
    assertThat(PictureMetrics.structuralSimilarity(waves, flat)).isLessThan(0.1);
    assertThat(PictureMetrics.structuralSimilarity(waves, other)).isLessThan(0.1);
  }

  @Test
  void octaves_ofACheckerboard_lieInItsOwn() {
    double[] fine = PictureMetrics.octaves(grey((x, y) -> (x + y) % 2 * 255), 3);
    assertThat(fine[0]).isCloseTo(0.25, within(1e-9));
    assertThat(fine[1] + fine[2]).isCloseTo(0, within(1e-9));
    double[] coarse = PictureMetrics.octaves(grey((x, y) -> (x / 2 + y / 2) % 2 * 255), 3);
    assertThat(coarse[1]).isCloseTo(0.25, within(1e-9));
    assertThat(coarse[0] + coarse[2]).isCloseTo(0, within(1e-9));
  }
}
