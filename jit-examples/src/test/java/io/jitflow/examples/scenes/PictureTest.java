package io.jitflow.examples.scenes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PictureTest {
  private static final Picture SCENE = Picture.of(Scene.of(4), 64, 32);

  @Test
  void of_image_itsPixels() {
    BufferedImage image = new BufferedImage(64, 32, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 64 * 32; i++) {
      int red = (int) SCENE.rgb[3 * i];
      int green = (int) SCENE.rgb[3 * i + 1];
      int blue = (int) SCENE.rgb[3 * i + 2];
      image.setRGB(i % 64, i / 64, red << 16 | green << 8 | blue);
    }
    assertThat(Picture.of(image).rgb).isEqualTo(SCENE.rgb);
  }

  @Test
  void reduced_blocks_areMeans() {
    Picture picture = new Picture(2, 2, new float[] {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14});
    assertThat(picture.reduced(1, 1).rgb).containsExactly(6, 7, 8);
  }

  @Test
  void reduced_sizeThatDoesNotDivide_saysBoth() {
    assertThatThrownBy(() -> SCENE.reduced(48, 16))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("64 x 32 px does not divide into 48 x 16 blocks");
  }

  @Test
  void blurred_onePoint_becomesASquare() {
    float[] rgb = new float[7 * 7 * 3];
    Arrays.fill(rgb, (3 * 7 + 3) * 3, (3 * 7 + 3) * 3 + 3, 9);
    Picture blurred = new Picture(7, 7, rgb).blurred(1);
    for (int y = 0; y < 7; y++) {
      for (int x = 0; x < 7; x++) {
        boolean near = Math.abs(x - 3) <= 1 && Math.abs(y - 3) <= 1;
        assertThat(blurred.rgb[(y * 7 + x) * 3]).isCloseTo(near ? 1 : 0, within(1e-5f));
      }
    }
  }

  @Test
  void shuffled_keepsEveryBlock() {
    Picture shuffled = SCENE.shuffled(16, 3);
    assertThat(shuffled.rgb).isNotEqualTo(SCENE.rgb);
    float[] sorted = SCENE.rgb.clone();
    float[] other = shuffled.rgb.clone();
    Arrays.sort(sorted);
    Arrays.sort(other);
    assertThat(other).isEqualTo(sorted);
  }

  @Test
  void distance_ofShiftedLevels_isTheShift() {
    float[] brighter = SCENE.rgb.clone();
    for (int i = 0; i < brighter.length; i++) {
      brighter[i] += 3;
    }
    assertThat(SCENE.distance(new Picture(64, 32, brighter))).isCloseTo(3, within(1e-6));
  }
}
