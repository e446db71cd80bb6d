package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class BootstrapTest {

  @Test
  void interval_meanOfCoinThrows_isTwoStandardErrorsWide() {
    // 400 throws, half of them 1: the standard error is 0.025
    Bootstrap.Interval interval =
        Bootstrap.interval(
            400, 2000, order -> Arrays.stream(order).map(k -> k % 2).average().orElseThrow());
    assertThat(interval.low()).isCloseTo(0.5 - 1.96 * 0.025, within(0.006));
    assertThat(interval.high()).isCloseTo(0.5 + 1.96 * 0.025, within(0.006));
  }

  @Test
  void interval_figureThatGrowsWithRepetition_isNotShiftedUp() {
    // the share of samples that a draw leaves out is 0 for the whole and about 0.37 for a draw
    Bootstrap.Interval interval =
        Bootstrap.interval(100, 500, order -> 1 - Arrays.stream(order).distinct().count() / 100.0);
    assertThat(interval.low()).isLessThan(interval.high());
    assertThat(interval.high()).isLessThan(0);
  }

  @Test
  void interval_again_isTheSame() {
    assertThat(Bootstrap.interval(10, 50, order -> order[0]))
        .isEqualTo(Bootstrap.interval(10, 50, order -> order[0]));
  }

  @Test
  void minus_figuresThatVaryTogether_hasANarrowInterval() {
    Bootstrap.Draws one = Bootstrap.draw(50, 100, order -> Arrays.stream(order).sum() + 3);
    Bootstrap.Draws two = Bootstrap.draw(50, 100, order -> Arrays.stream(order).sum());
    Bootstrap.Draws difference = one.minus(two);
    assertThat(difference.whole()).isEqualTo(3);
    assertThat(difference.interval()).isEqualTo(new Bootstrap.Interval(3, 3));
    assertThat(one.interval().low()).isLessThan(one.interval().high());
  }

  @Test
  void minus_otherNumberOfDraws_isTold() {
    Bootstrap.Draws draws = Bootstrap.draw(10, 5, order -> order[0]);
    Bootstrap.Draws more = Bootstrap.draw(10, 6, order -> order[0]);
    assertThatThrownBy(() -> draws.minus(more))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("5 and of 6 draws");
  }
}
