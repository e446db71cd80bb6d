package io.jitflow.examples.scenes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SceneRendererTest {
  /** A scene in which every attribute can take every value. */
  private static final Scene FULL =
      Scene.of(5)
          .with(Attribute.TIME, "day")
          .with(Attribute.BODY, "sun")
          .with(Attribute.BODY_SIDE, "left")
          .with(Attribute.CLOUDS, "few")
          .with(Attribute.WATER, "lake")
          .with(Attribute.TREES, "oaks")
          .with(Attribute.TREES_SIDE, "left")
          .with(Attribute.MIST, "none");

  @Test
  void render_sameScene_samePixels() {
    assertThat(SceneRenderer.render(Scene.of(3), 96, 64))
        .isEqualTo(SceneRenderer.render(Scene.of(3), 96, 64));
  }

  @Test
  void render_otherSeeds_otherPixels() {
    assertThat(SceneRenderer.render(FULL, 64, 64))
        .isNotEqualTo(
            SceneRenderer.render(
                Scene.of(6)
                    .with(Attribute.TIME, "day")
                    .with(Attribute.BODY, "sun")
                    .with(Attribute.BODY_SIDE, "left"),
                64,
                64));
  }

  @Test
  void render_anyValueChanged_changesPixels() {
    for (Attribute attribute : Attribute.values()) {
      Scene base = attribute == Attribute.STARS ? FULL.with(Attribute.TIME, "night") : FULL;
      boolean side = attribute == Attribute.BODY_SIDE || attribute == Attribute.TREES_SIDE;
      List<byte[]> drawn = new ArrayList<>();
      // a side of "none" goes with no thing at all
      for (Attribute.Value value :
          attribute.choices().subList(side ? 1 : 0, attribute.choices().size())) {
        byte[] rgb = SceneRenderer.render(base.with(attribute, value.label()), 128, 128);
        for (byte[] other : drawn) {
          assertThat(changed(rgb, other)).as("%s %s", attribute, value.label()).isGreaterThan(60);
        }
        drawn.add(rgb);
      }
    }
  }

  @Test
  void render_anyAspect_fillsThePicture() {
    for (int[] size : new int[][] {{160, 96}, {96, 160}, {16, 16}, {128, 128}}) {
      byte[] rgb = SceneRenderer.render(FULL, size[0], size[1]);
      assertThat(rgb).hasSize(size[0] * size[1] * 3);
      int black = 0;
      for (int i = 0; i < rgb.length; i += 3) {
        if (rgb[i] == 0 && rgb[i + 1] == 0 && rgb[i + 2] == 0) {
          black++;
        }
      }
      assertThat(black).isZero();
    }
  }

  @Test
  void render_twiceTheSize_looksTheSameFromAfar() {
    byte[] small = SceneRenderer.render(FULL, 128, 128);
    byte[] large = SceneRenderer.render(FULL, 256, 256);
    double sum = 0;
    for (int y = 0; y < 128; y++) {
      for (int x = 0; x < 128; x++) {
        for (int c = 0; c < 3; c++) {
          int mean = 0;
          for (int k = 0; k < 4; k++) {
            mean += large[((2 * y + k / 2) * 256 + 2 * x + k % 2) * 3 + c] & 0xff;
          }
          double difference = mean / 4.0 - (small[(y * 128 + x) * 3 + c] & 0xff);
          sum += difference * difference;
        }
      }
    }
    assertThat(Math.sqrt(sum / small.length)).isLessThan(16);
  }

  @Test
  void render_edges_areAntiAliased() {
    // the disc of the moon against an empty night: between dark and bright there are steps
    Scene night =
        FULL.with(Attribute.TIME, "night")
            .with(Attribute.BODY, "full")
            .with(Attribute.CLOUDS, "clear")
            .with(Attribute.STARS, "none")
            .with(Attribute.BIRDS, "none")
            .with(Attribute.RAINBOW, "none");
    byte[] rgb = SceneRenderer.render(night, 256, 256);
    int between = 0;
    for (int i = 0; i < 256 * 80 * 3; i += 3) {
      int red = rgb[i] & 0xff;
      if (red > 90 && red < 190) {
        between++;
      }
    }
    // a circle of 16 to 19 px radius crosses about 100 to 120 pixels
    assertThat(between).isBetween(50, 250);
  }

  @Test
  void render_tooSmall_saysSo() {
    assertThatThrownBy(() -> SceneRenderer.render(FULL, 8, 64))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a scene is at least 16 x 16 px, got 8 x 64");
  }

  private static int changed(byte[] a, byte[] b) {
    int changed = 0;
    for (int i = 0; i < a.length; i += 3) {
      int difference = 0;
      for (int c = 0; c < 3; c++) {
        difference = Math.max(difference, Math.abs((a[i + c] & 0xff) - (b[i + c] & 0xff)));
      }
      if (difference > 16) {
        changed++;
      }
    }
    return changed;
  }
}
