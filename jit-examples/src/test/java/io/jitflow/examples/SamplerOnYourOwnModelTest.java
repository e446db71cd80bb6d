package io.jitflow.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.core.VelocityModel;
import io.jitflow.core.jit.JitSampler;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SamplerOnYourOwnModelTest {
  private static final double RIGHT = 0.08;

  private static IntStream steps() {
    return IntStream.range(0, JitSampler.forSpeedup(7).steps());
  }

  @Test
  void error_exactModel_isSmall() {
    assertThat(SamplerOnYourOwnModel.error(SamplerOnYourOwnModel::velocity)).isLessThan(RIGHT);
  }

  /** The answer depends on every step, so the test above cannot pass with some of them wrong. */
  @ParameterizedTest
  @MethodSource("steps")
  void error_oneStepWrong_isLarge(int wrong) {
    AtomicInteger next = new AtomicInteger();
    VelocityModel model =
        (tokens, at, sigma) ->
            SamplerOnYourOwnModel.velocity(tokens, at, sigma)
                .addi(next.getAndIncrement() == wrong ? 1e4f : 0f);
    assertThat(SamplerOnYourOwnModel.error(model)).isGreaterThan(2 * RIGHT);
  }
}
