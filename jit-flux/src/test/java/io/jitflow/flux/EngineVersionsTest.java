package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.Engine;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class EngineVersionsTest {

  @Test
  void check_ownDependencies_passes() {
    assertThat(Engine.getDjlVersion()).isEqualTo(EngineVersions.DJL);
    assertThatCode(EngineVersions::check).doesNotThrowAnyException();
  }

  @Test
  void require_anotherVersion_namesBothAndTheWayOut() {
    assertThatThrownBy(() -> EngineVersions.require("ai.djl:api", "0.35.1", Optional.of("0.36.0")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("expected ai.djl:api 0.35.1, found 0.36.0")
        .hasMessageContaining("jit-bom");
  }

  @Test
  void require_absentPartOrFlavourOfTheSame_passes() {
    EngineVersions.require("ai.djl.pytorch:pytorch-jni", "2.7.1-0.35.1", Optional.empty());
    EngineVersions.require(
        "ai.djl.pytorch:pytorch-jni", "2.7.1-0.35.1", Optional.of("2.7.1-0.35.1"));
  }
}
