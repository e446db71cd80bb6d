package io.jitflow.examples;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SamplerOnYourOwnModelTest {

  @Test
  void largestError_exactModel_nearZero() {
    assertThat(SamplerOnYourOwnModel.largestError()).isLessThan(1e-4f); // float32 rounding
  }
}
