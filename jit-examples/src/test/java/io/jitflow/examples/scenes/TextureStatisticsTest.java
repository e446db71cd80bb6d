package io.jitflow.examples.scenes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TextureStatisticsTest {

  @Test
  void patches_flatPicture_haveOnlyAMean() {
    float[] rgb = new float[64 * 64 * 3];
    Arrays.fill(rgb, 51);
    for (double[] patch : TextureStatistics.patches(new Picture(64, 64, rgb))) {
      // 8 times the level
      assertThat(patch[0]).isCloseTo(8 * 0.2, within(1e-6));
      assertThat(Arrays.stream(patch).skip(1).map(Math::abs).max().orElseThrow()).isLessThan(1e-6);
    }
  }

  @Test
  void patches_transform_keepsTheEnergy() {
    Picture picture = Picture.of(Scene.of(1), 16, 16);
    double[] patch = TextureStatistics.patches(crop(picture)).get(0);
    double energy = 0;
    for (float grey : crop(picture).grey()) {
      energy += grey * grey / 255.0 / 255.0;
    }
    assertThat(Arrays.stream(patch).map(v -> v * v).sum()).isCloseTo(energy, within(1e-4));
  }

  /** The top left 8 x 8 pixels: the only patch there is. */
  private static Picture crop(Picture picture) {
    float[] rgb = new float[8 * 8 * 3];
    for (int y = 0; y < 8; y++) {
      System.arraycopy(picture.rgb, y * picture.width * 3, rgb, y * 8 * 3, 8 * 3);
    }
    return new Picture(8, 8, rgb);
  }

  @Test
  void spectrum_columns_lieInOneBand() {
    float[] rgb = new float[64 * 64 * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = i / 3 % 64 % 4 < 2 ? 100 : 0;
    }
    double[] spectrum = TextureStatistics.spectrum(new Picture(64, 64, rgb));
    // pairs of columns: second octave, across
    assertThat(spectrum[3]).isCloseTo(Math.log(100 * 100), within(1e-3));
    for (int k = 0; k < spectrum.length; k++) {
      if (k != 3) {
        assertThat(spectrum[k]).isCloseTo(Math.log(0.1), within(1e-3));
      }
    }
  }

  @Test
  void spectrum_blurred_losesTheFinestOctaveMost() {
    Picture scene = Picture.of(Scene.of(2), 128, 128);
    double[] sharp = TextureStatistics.spectrum(scene);
    double[] soft = TextureStatistics.spectrum(scene.blurred(1));
    assertThat(sharp[0] - soft[0]).isGreaterThan(0.5).isGreaterThan(sharp[12] - soft[12]);
  }
}
