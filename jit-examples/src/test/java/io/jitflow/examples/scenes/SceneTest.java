package io.jitflow.examples.scenes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SceneTest {

  @Test
  void of_sameSeed_sameScene() {
    assertThat(Scene.of(17)).isEqualTo(Scene.of(17)).isNotEqualTo(Scene.of(18));
  }

  @Test
  void of_trainingSeeds_neverHoldsHeldOutCombination() {
    for (long seed = 0; seed < 5000; seed++) {
      Scene scene = Scene.of(seed);
      assertThat(Scene.HELD_OUT).noneMatch(combination -> combination.in(scene));
    }
  }

  @Test
  void of_heldOutSeeds_everyFourthHoldsACombination() {
    Set<Scene.Combination> met = new HashSet<>();
    for (long seed = Scene.FIRST_HELD_OUT; seed < Scene.FIRST_HELD_OUT + 400; seed++) {
      Scene scene = Scene.of(seed);
      boolean holds = false;
      for (Scene.Combination combination : Scene.HELD_OUT) {
        if (combination.in(scene)) {
          holds = true;
          met.add(combination);
        }
      }
      assertThat(holds).isEqualTo(seed % 4 == 0);
    }
    assertThat(met).containsExactlyInAnyOrderElementsOf(Scene.HELD_OUT);
  }

  @Test
  void of_manySeeds_everyValueOccurs() {
    Map<Attribute, Set<Integer>> met = new EnumMap<>(Attribute.class);
    for (long seed = 0; seed < 500; seed++) {
      Scene scene = Scene.of(seed);
      for (Attribute attribute : Attribute.values()) {
        met.computeIfAbsent(attribute, key -> new HashSet<>()).add(scene.value(attribute));
      }
    }
    for (Attribute attribute : Attribute.values()) {
      assertThat(met.get(attribute)).as("%s", attribute).hasSize(attribute.choices().size());
    }
  }

  @Test
  void of_anySeed_isConsistent() {
    for (long seed = 0; seed < 2000; seed++) {
      Scene scene = Scene.of(seed);
      boolean night = scene.is(Attribute.TIME, "night");
      assertThat(night && scene.is(Attribute.BODY, "sun")).isFalse();
      assertThat(night && scene.is(Attribute.RAINBOW, "rainbow")).isFalse();
      assertThat(!night && scene.is(Attribute.STARS, "stars")).isFalse();
      assertThat(scene.is(Attribute.BODY, "none")).isEqualTo(scene.is(Attribute.BODY_SIDE, "none"));
      assertThat(scene.is(Attribute.TREES, "none"))
          .isEqualTo(scene.is(Attribute.TREES_SIDE, "none"));
      assertThat(scene.is(Attribute.WATER, "none") && scene.is(Attribute.BOAT, "boat")).isFalse();
    }
  }

  @Test
  void index_unknownLabel_saysWhich() {
    assertThatThrownBy(() -> Attribute.TREES.index("cactus"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("TREES has no value \"cactus\"");
  }
}
