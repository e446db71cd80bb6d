package io.jitflow.core.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TokenGridTest {
  @Test
  void index_ofAnOddGrid_isRowMajor() {
    TokenGrid grid = new TokenGrid(3, 5);
    assertThat(grid.tokens()).isEqualTo(15);
    for (int token = 0; token < 15; token++) {
      assertThat(grid.row(token)).isEqualTo(token / 5);
      assertThat(grid.col(token)).isEqualTo(token % 5);
      assertThat(grid.index(grid.row(token), grid.col(token))).isEqualTo(token);
    }
  }

  @Test
  void constructor_withoutRows_isRefused() {
    assertThatThrownBy(() -> new TokenGrid(0, 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 x 5");
  }

  @Test
  void constructor_ofAnExtentBeyondTheLimit_isRefused() {
    assertThat(new TokenGrid(1, 32_768).tokens()).isEqualTo(32_768);
    assertThatThrownBy(() -> new TokenGrid(1, 32_769))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("32768")
        .hasMessageContaining("1 x 32769");
  }
}
