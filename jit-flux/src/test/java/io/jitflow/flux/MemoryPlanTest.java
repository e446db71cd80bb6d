package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.FluxBundle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryPlanTest {
  private static final FluxOptions OPTIONS = FluxOptions.defaults().withDevice(Device.cpu());

  @TempDir static Path scratch;
  private static FluxBundle bundle;
  private static MemoryPlan.Weights weights;

  @BeforeAll
  static void convert() throws IOException {
    bundle = FluxBundle.read(TinyBundle.dev(scratch));
    weights = new MemoryPlan.Weights(bundle, ArithmeticChoice.of(OPTIONS, bundle, Device.cpu()));
  }

  private static MemoryPlan plan(FluxOptions options, long free) {
    return MemoryPlan.of(options, weights, bundle, OptionalLong.of(free));
  }

  @Test
  void of_auto_takesTheFastestPolicyThatFits() {
    Map<MemoryPolicy, Long> needed = plan(OPTIONS, Long.MAX_VALUE).needed();
    assertThat(needed.get(MemoryPolicy.RESIDENT))
        .isGreaterThan(needed.get(MemoryPolicy.SEQUENTIAL));
    for (MemoryPolicy policy :
        new MemoryPolicy[] {MemoryPolicy.RESIDENT, MemoryPolicy.SEQUENTIAL}) {
      assertThat(plan(OPTIONS, needed.get(policy)).policy()).isEqualTo(policy);
      assertThat(plan(OPTIONS, needed.get(policy) - 1).policy()).isNotEqualTo(policy);
    }
  }

  @Test
  void of_lessMemory_takesSmallerTilesBeforeASlowerPolicy() {
    MemoryPlan wide = plan(OPTIONS, Long.MAX_VALUE);
    assertThat(wide.decodeTilePx()).isEqualTo(1024);
    MemoryPlan narrow = plan(OPTIONS, wide.needed().get(MemoryPolicy.RESIDENT));
    assertThat(narrow.policy()).isEqualTo(MemoryPolicy.RESIDENT);
    assertThat(narrow.decodeTilePx()).isEqualTo(512);
  }

  @Test
  void of_nothingFits_saysWhatEachPolicyNeeds() {
    assertThatThrownBy(() -> plan(OPTIONS, 1_000_000))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("GB with all networks resident")
        .hasMessageContaining("GB with one after the other")
        .hasMessageContaining("GB with weights streamed from host memory")
        .hasMessageContaining("0.0 GB free")
        .hasMessageContaining("8-bit weights");
  }

  @Test
  void of_policyOfTheOptions_isKeptWhateverIsFree() {
    for (MemoryPolicy policy : MemoryPolicy.values()) {
      if (policy != MemoryPolicy.AUTO) {
        MemoryPlan plan = plan(OPTIONS.withMemory(policy).withDecodeTilePx(640), 1);
        assertThat(plan.policy()).isEqualTo(policy);
        assertThat(plan.decodeTilePx()).isEqualTo(640);
      }
    }
  }
}
