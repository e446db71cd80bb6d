package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.util.cuda.CudaUtils;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.FluxArchitecture;
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
  private static MemoryEstimate estimate;

  @BeforeAll
  static void convert() throws IOException {
    bundle = FluxBundle.read(TinyBundle.dev(scratch));
    estimate = estimate(Device.cpu(), false);
  }

  private static MemoryEstimate estimate(Device device, boolean adapted) throws IOException {
    return estimate(device, adapted, OPTIONS.cachedPrompts());
  }

  private static MemoryEstimate estimate(Device device, boolean adapted, int cachedPrompts)
      throws IOException {
    return new MemoryEstimate(
        bundle, ArithmeticChoice.of(OPTIONS, bundle, Device.cpu()), device, adapted, cachedPrompts);
  }

  private static MemoryPlan plan(FluxOptions options, long free) {
    return MemoryPlan.of(
        options, estimate, MemoryEstimate.Size.usual(bundle), OptionalLong.of(free));
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

  @Test
  void of_largerImages_needMoreAndTakeASlowerPolicy() {
    MemoryEstimate.Size size = new MemoryEstimate.Size(2048, 1536, bundle.t5Tokens(), 50);
    long needed = estimate.bytes(MemoryPolicy.RESIDENT, size, 512);
    assertThat(plan(OPTIONS, needed - 1).policy()).isEqualTo(MemoryPolicy.RESIDENT);
    MemoryPlan large = MemoryPlan.of(OPTIONS, estimate, size, OptionalLong.of(needed - 1));
    assertThat(large.policy()).isEqualTo(MemoryPolicy.SEQUENTIAL);
    assertThat(large.needed()).containsEntry(MemoryPolicy.RESIDENT, needed);
    assertThat(large.toString()).contains("2048 x 1536 px");
  }

  @Test
  void bytes_ofPromptsAndNoiseLevels_areCounted() throws IOException {
    MemoryEstimate.Size few = new MemoryEstimate.Size(1024, 1024, bundle.t5Tokens(), 4);
    MemoryEstimate.Size many = new MemoryEstimate.Size(1024, 1024, bundle.t5Tokens(), 104);
    FluxArchitecture sizes = bundle.transformer();
    long level = 4L * sizes.modulationRows() * sizes.hiddenSize();
    long prompt = 4L * bundle.t5Tokens() * sizes.textWidth();
    for (MemoryPolicy policy : plan(OPTIONS, Long.MAX_VALUE).needed().keySet()) {
      long least = estimate.bytes(policy, few, 512);
      assertThat(estimate.bytes(policy, many, 512)).isEqualTo(least + 100 * level);
      assertThat(estimate(Device.cpu(), false, 20).bytes(policy, few, 512))
          .isEqualTo(least + 4 * prompt);
      assertThat(estimate(Device.cpu(), false, 0).bytes(policy, few, 512))
          .isEqualTo(least - 16 * prompt - Modulation.MAX_LEVELS * level);
    }
    assertThat(many.fitsIn(few)).isFalse();
    assertThat(few.fitsIn(many)).isTrue();
  }

  @Test
  void size_ofARequest_countsTheNoiseLevelsOfBothPromptsAndPasses() {
    ImageRequest request =
        ImageRequest.of("x").withSampler(new EulerSampler(SigmaSchedule.linear(), 30));
    assertThat(MemoryEstimate.Size.of(bundle, request).levels()).isEqualTo(30);
    ImageRequest most = request.withNegativePrompt("y", 2).withSecondPass(0.5);
    assertThat(MemoryEstimate.Size.of(bundle, most).levels()).isEqualTo(120);
    assertThat(MemoryEstimate.Size.of(bundle, ImageRequest.of("x")).levels()).isEqualTo(50);
  }

  @Test
  void freeBytes_ofAGpuThatCannotBeMeasured_mattersToAnOpenPolicyOnly() {
    assumeTrue(CudaUtils.getGpuCount() == 0);
    assertThat(MemoryPlan.freeBytes(Device.gpu(), MemoryPolicy.SEQUENTIAL)).isEmpty();
    assertThatThrownBy(() -> MemoryPlan.freeBytes(Device.gpu(), MemoryPolicy.AUTO))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the free memory of gpu(0) cannot be measured")
        .hasMessageContaining("libcudart")
        .hasMessageContaining("jna.library.path");
  }

  @Test
  void of_adapters_areNotStreamedToAGpu() throws IOException {
    MemoryEstimate gpu = estimate(Device.gpu(), true);
    MemoryEstimate.Size size = MemoryEstimate.Size.usual(bundle);
    assertThat(MemoryPlan.of(OPTIONS, gpu, size, OptionalLong.empty()).needed())
        .containsOnlyKeys(MemoryPolicy.RESIDENT, MemoryPolicy.SEQUENTIAL);
    assertThatThrownBy(
            () ->
                MemoryPlan.of(
                    OPTIONS.withMemory(MemoryPolicy.STREAMED), gpu, size, OptionalLong.empty()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("merge the adapters");
    MemoryEstimate cpu = estimate(Device.cpu(), true);
    assertThat(cpu.bytes(MemoryPolicy.STREAMED, size, 512))
        .isEqualTo(cpu.bytes(MemoryPolicy.SEQUENTIAL, size, 512));
  }
}
