package io.jitflow.core.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TokenSubsetTest {
  private static final TokenGrid GRID = new TokenGrid(3, 4);

  @Test
  void of_unsortedLists_keepsTheirOrderPerSample() {
    TokenSubset subset = TokenSubset.of(GRID, new int[] {7, 2}, new int[] {0, 11});
    assertThat(subset.samples()).isEqualTo(2);
    assertThat(subset.count()).isEqualTo(2);
    assertThat(subset.indices(0)).containsExactly(7, 2);
    assertThat(subset.index(1, 1)).isEqualTo(11);
    assertThat(subset.density()).isEqualTo(2.0 / 12);
    assertThat(subset.isFull()).isFalse();
    assertThat(subset.mask(0)).hasSize(12);
    assertThat(subset.mask(0)[7]).isTrue();
    assertThat(subset.mask(0)[11]).isFalse();
  }

  @Test
  void of_listChangedAfterwards_keepsItsCopy() {
    int[] list = {1, 2};
    TokenSubset subset = TokenSubset.of(GRID, list);
    list[0] = 5;
    subset.indices(0)[1] = 6;
    assertThat(subset.indices(0)).containsExactly(1, 2);
  }

  @Test
  void all_ofAGrid_isFullInRowMajorOrder() {
    TokenSubset all = TokenSubset.all(GRID, 2);
    assertThat(all.isFull()).isTrue();
    assertThat(all.indices(1)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  }

  @Test
  void of_emptyList_isRefused() {
    assertThatThrownBy(() -> TokenSubset.of(GRID, new int[0]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> TokenSubset.of(GRID)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void of_tokenOutsideTheGrid_isRefusedWithItsPlace() {
    assertThatThrownBy(() -> TokenSubset.of(GRID, new int[] {3, 12}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("token 12 at place 1 of sample 0")
        .hasMessageContaining("3 x 4");
  }

  @Test
  void of_repeatedToken_isRefusedWithItsPlace() {
    assertThatThrownBy(() -> TokenSubset.of(GRID, new int[] {3, 5, 3}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("token 3 is listed twice in sample 0, again at place 2");
  }

  @Test
  void of_listsOfDifferentLength_isRefusedWithBothLengths() {
    assertThatThrownBy(() -> TokenSubset.of(GRID, new int[] {3, 5}, new int[] {3}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("sample 0 has 2, sample 1 has 1");
  }

  @Test
  void forSamples_ofOneSample_repeatsIt() {
    TokenSubset three = TokenSubset.of(GRID, new int[] {4, 1}).forSamples(3);
    assertThat(three)
        .isEqualTo(TokenSubset.of(GRID, new int[] {4, 1}, new int[] {4, 1}, new int[] {4, 1}));
    assertThat(three.forSamples(3)).isSameAs(three);
  }

  @Test
  void forSamples_ofAnotherBatchSize_isRefusedWithBoth() {
    TokenSubset two = TokenSubset.of(GRID, new int[] {4}, new int[] {5});
    assertThatThrownBy(() -> two.forSamples(3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 samples")
        .hasMessageContaining("3");
  }

  @Test
  void equals_ofTheSameSetInAnotherOrder_isFalse() {
    assertThat(TokenSubset.of(GRID, new int[] {1, 2}))
        .isNotEqualTo(TokenSubset.of(GRID, new int[] {2, 1}))
        .isNotEqualTo(TokenSubset.of(new TokenGrid(4, 3), new int[] {1, 2}))
        .hasSameHashCodeAs(TokenSubset.of(GRID, new int[] {1, 2}));
  }
}
