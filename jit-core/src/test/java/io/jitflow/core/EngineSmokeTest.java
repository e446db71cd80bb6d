package io.jitflow.core;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import org.junit.jupiter.api.Test;

class EngineSmokeTest {
  @Test
  void engine_loads() {
    try (NDManager manager = NDManager.newBaseManager()) {
      assertThat(manager.ones(new Shape(2, 2)).sum().getFloat()).isEqualTo(4f);
    }
  }
}
