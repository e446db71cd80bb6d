package io.jitflow.core.jit;

import static io.jitflow.core.testing.Arrays32.assertClose;
import static io.jitflow.core.testing.Arrays32.assertIdentical;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.jit.JitConfig.MicroFlow;
import org.junit.jupiter.api.Test;

class MicroFlowTest {
  private static final Shape SHAPE = new Shape(7, 5);

  @Test
  void flow_exact_hitsTheTarget() {
    try (NDManager manager = NDManager.newBaseManager()) {
      TorchNoise noise = new TorchNoise(1);
      NDArray state = noise.draw(manager, SHAPE);
      NDArray target = noise.draw(manager, SHAPE);
      assertIdentical("state", MicroFlow.exact().flow(state, target), target);
    }
  }

  @Test
  void flow_partial_goesOneNthOfTheWay() {
    try (NDManager manager = NDManager.newBaseManager()) {
      TorchNoise noise = new TorchNoise(1);
      NDArray state = noise.draw(manager, SHAPE);
      NDArray target = noise.draw(manager, SHAPE);
      float[] expected = new float[35];
      for (int i = 0; i < 35; i++) {
        expected[i] = (2 * state.toFloatArray()[i] + target.toFloatArray()[i]) / 3;
      }
      NDArray moved = MicroFlow.partial(3).flow(state, target);
      assertClose("state", moved.toFloatArray(), expected, 1e-6, 0);
    }
  }

  @Test
  void target_atANoiseLevel_mixesEstimateAndNoise() {
    try (NDManager manager = NDManager.newBaseManager()) {
      NDArray clean = manager.create(new float[] {1, -2});
      NDArray noise = manager.create(new float[] {10, 20});
      NDArray target = MicroFlow.exact().target(clean, noise, 0.25);
      assertThat(target.toFloatArray()).containsExactly(3.25f, 3.5f);
      assertThat(clean.toFloatArray()).as("input").containsExactly(1, -2);
      assertThat(noise.toFloatArray()).as("input").containsExactly(10, 20);
    }
  }

  @Test
  void partial_ofNone_isExactAsInTheRelease() {
    assertThat(MicroFlow.partial(0)).isEqualTo(MicroFlow.exact()).isEqualTo(MicroFlow.partial(1));
  }

  @Test
  void partial_ofANegativeNumber_isRefusedWithIt() {
    assertThatThrownBy(() -> MicroFlow.partial(-2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got -2");
    assertThatThrownBy(() -> new MicroFlow(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 0");
  }
}
