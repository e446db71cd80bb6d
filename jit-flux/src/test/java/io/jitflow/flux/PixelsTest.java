package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.testing.ArrayTest;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PixelsTest extends ArrayTest {
  private NDArray decoded(float... values) {
    return manager.create(values, new Shape(1, 3, 1, 2));
  }

  @Test
  void toImage_anyFiniteValues_areClippedAndRounded() {
    BufferedImage image = Pixels.toImage(decoded(-1, 1, 0, -3, 7, 0.5f));
    assertThat(image.getRGB(0, 0)).isEqualTo(0xff0080ff);
    assertThat(image.getRGB(1, 0)).isEqualTo(0xffff00bf);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void toImage_valueThatIsNotFinite_isRefused(float value) {
    NDArray decoded = decoded(0, 0, 0, value, 0, 0);
    assertThatThrownBy(() -> Pixels.toImage(decoded))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("not finite")
        .hasMessageContaining("convert the checkpoint to bf16 or f32");
  }
}
