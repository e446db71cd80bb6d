package io.jitflow.examples.scenes;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CaptionTest {

  @Test
  void of_manyScenes_namesOnlyWhatIsDrawn() {
    for (long seed = 0; seed < 500; seed++) {
      Scene scene = Scene.of(seed);
      Caption caption = Caption.of(scene, 0);
      for (Attribute attribute : Attribute.values()) {
        String own = attribute.choices().get(scene.value(attribute)).phrase();
        if (caption.named().contains(attribute)) {
          assertThat(own).isNotEmpty();
          assertThat(caption.text()).contains(own);
        }
        for (Attribute.Value other : attribute.choices()) {
          // "on the left" may be said of something else
          boolean side = attribute == Attribute.BODY_SIDE || attribute == Attribute.TREES_SIDE;
          if (!side && !other.phrase().isEmpty() && !other.phrase().equals(own)) {
            assertThat(" " + caption.text() + ",").doesNotContain(" " + other.phrase() + ",");
          }
        }
      }
    }
  }

  @Test
  void of_attributeLeftOpen_textDoesNotNameIt() {
    for (long seed = 0; seed < 500; seed++) {
      Scene scene = Scene.of(seed);
      Caption caption = Caption.of(scene, 1);
      for (Attribute attribute : Attribute.values()) {
        String phrase = attribute.choices().get(scene.value(attribute)).phrase();
        boolean side = attribute == Attribute.BODY_SIDE || attribute == Attribute.TREES_SIDE;
        if (!caption.named().contains(attribute) && !side && !phrase.isEmpty()) {
          assertThat(caption.text()).doesNotContain(phrase);
        }
      }
    }
  }

  @Test
  void of_variants_nameDifferentAttributes() {
    Set<String> texts = new HashSet<>();
    for (int variant = 0; variant < 4; variant++) {
      texts.add(Caption.of(Scene.of(3), variant).text());
    }
    assertThat(texts).hasSizeGreaterThan(1);
  }

  @Test
  void of_side_neverWithoutItsThing() {
    for (long seed = 0; seed < 1000; seed++) {
      Caption caption = Caption.of(Scene.of(seed), 0);
      assertThat(
              caption.named().contains(Attribute.BODY_SIDE)
                  && !caption.named().contains(Attribute.BODY))
          .isFalse();
      assertThat(
              caption.named().contains(Attribute.TREES_SIDE)
                  && !caption.named().contains(Attribute.TREES))
          .isFalse();
    }
  }

  @Test
  void of_fixedSeed_readsLikeThis() {
    Scene scene = Scene.of(Scene.FIRST_HELD_OUT + 16);
    assertThat(Caption.of(scene, 0).text())
        .isEqualTo(
            "a crescent moon on the left over rocky mountains and a lake, a clear sky,"
                + " an autumn meadow, birches, a boat");
  }
}
