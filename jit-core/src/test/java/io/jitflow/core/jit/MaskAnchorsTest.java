package io.jitflow.core.jit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MaskAnchorsTest {
  private static final TokenGrid GRID = new TokenGrid(7, 9);

  @ParameterizedTest
  @ValueSource(doubles = {0.02, 0.3, 1})
  void anchors_ofAnyMask_beginWithTheKnownTokensAndGrowToAll(double share) {
    Random random = new Random(5);
    for (int round = 0; round < 50; round++) {
      BitSet drawn = new BitSet();
      drawn.set(random.nextInt(GRID.tokens()));
      for (int token = 0; token < GRID.tokens(); token++) {
        if (random.nextDouble() < share) {
          drawn.set(token);
        }
      }
      for (JitConfig config :
          List.of(JitConfig.default4x(), JitConfig.default7x(), JitConfig.forSpeedup(10))) {
        assertGrows(config, drawn);
      }
    }
  }

  private static void assertGrows(JitConfig config, BitSet drawn) {
    TokenSubset[] anchors = config.anchors(GRID, array(drawn));
    assertThat(anchors).hasSize(config.stages().size());
    BitSet before = new BitSet();
    before.set(0, GRID.tokens());
    before.andNot(drawn);
    for (int stage = 0; stage < anchors.length; stage++) {
      BitSet now = new BitSet();
      Arrays.stream(anchors[stage].indices(0)).forEach(now::set);
      before.andNot(now);
      assertThat(before.isEmpty()).as("all of the set before").isTrue();
      int least = stage == 0 ? GRID.tokens() - drawn.cardinality() : anchors[stage - 1].count();
      assertThat(now.cardinality()).isGreaterThanOrEqualTo(Math.min(GRID.tokens(), least + 1));
      BitSet joined = (BitSet) now.clone();
      joined.and(drawn);
      assertThat((double) joined.cardinality())
          .isGreaterThanOrEqualTo(config.stages().get(stage).density() * drawn.cardinality());
      before = now;
    }
    assertThat(anchors[anchors.length - 1].isFull()).isTrue();
  }

  private static boolean[] array(BitSet drawn) {
    boolean[] array = new boolean[GRID.tokens()];
    drawn.stream().forEach(token -> array[token] = true);
    return array;
  }

  @Test
  void anchors_ofEveryTokenDrawn_beginWithEverySecondRowAndColumn() {
    JitConfig config = JitConfig.of(2, new Stage(0.5, 0.25), new Stage(1, 1));
    boolean[] all = new boolean[16];
    Arrays.fill(all, true);
    assertThat(config.anchors(new TokenGrid(4, 4), all)[0].indices(0)).containsExactly(0, 2, 8, 10);
  }

  @Test
  void anchors_maskOfAnotherGridOrOfNothing_isRefused() {
    JitConfig config = JitConfig.default7x();
    assertThatThrownBy(() -> config.anchors(GRID, new boolean[62]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a mask for a grid of 7 x 9 has 63 tokens, got 62");
    assertThatThrownBy(() -> config.anchors(GRID, new boolean[63]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the mask leaves no token to draw");
  }
}
