package io.jitflow.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;

class SamplingRequestTest extends ArrayTest {
  private static final TokenGrid GRID = new TokenGrid(3, 4);
  private static final Shape SHAPE = new Shape(2, 12, 5);

  @Test
  void of_noise_hasTheDefaults() {
    NDArray noise = manager.ones(SHAPE);
    SamplingRequest request = SamplingRequest.of(noise, GRID);
    assertThat(request.noise()).isSameAs(noise);
    assertThat(request.transitionNoise()).isEmpty();
    assertThat(request.grid()).isEqualTo(GRID);
    assertThat(request.samples()).isEqualTo(2);
    assertThat(request.anchors(0)).isEmpty();
    assertThat(request.listener().isCancelled()).isFalse();
  }

  @Test
  void of_nullNoise_isRefused() {
    assertThatThrownBy(() -> SamplingRequest.of(null, GRID))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("noise");
  }

  @Test
  void of_nullGrid_isRefused() {
    assertThatThrownBy(() -> SamplingRequest.of(manager.ones(SHAPE), null))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("grid");
  }

  @Test
  void of_anotherRank_isRefusedWithTheShape() {
    assertThatThrownBy(() -> SamplingRequest.of(manager.ones(new Shape(12, 5)), GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[batch, tokens, channels]")
        .hasMessageContaining("(12, 5)");
  }

  @Test
  void of_tokensThatAreNotRowsTimesCols_isRefusedWithBoth() {
    assertThatThrownBy(() -> SamplingRequest.of(manager.ones(new Shape(1, 13, 5)), GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("13 tokens")
        .hasMessageContaining("3 x 4 has 12");
  }

  @Test
  void of_anEmptyArray_isRefused() {
    assertThatThrownBy(() -> SamplingRequest.of(manager.zeros(new Shape(0, 12, 5)), GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("empty");
  }

  @Test
  void of_integerNoise_isRefusedWithTheType() {
    assertThatThrownBy(() -> SamplingRequest.of(manager.zeros(SHAPE, DataType.INT32), GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must be FLOAT32, got INT32");
  }

  @Test
  void of_doubleNoise_isRefusedWithTheType() {
    assertThatThrownBy(() -> SamplingRequest.of(manager.zeros(SHAPE, DataType.FLOAT64), GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got FLOAT64");
  }

  @Test
  void of_bfloat16Noise_isRefusedByItsTypeAlone() {
    NDArray noise = ofType(DataType.BFLOAT16);
    assertThatThrownBy(() -> SamplingRequest.of(noise, GRID))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must be FLOAT32, got BFLOAT16");
  }

  /**
   * A real BFLOAT16 array ends the JVM, so this one only tells its type and allows nothing else.
   */
  static NDArray ofType(DataType type) {
    return (NDArray)
        Proxy.newProxyInstance(
            NDArray.class.getClassLoader(),
            new Class<?>[] {NDArray.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("getDataType")) {
                return type;
              }
              throw new AssertionError("only the type may be looked at, not " + method);
            });
  }

  @Test
  void of_closedNoise_isRefused() {
    NDArray noise = manager.ones(SHAPE);
    noise.close();
    assertThatThrownBy(() -> SamplingRequest.of(noise, GRID))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("noise is closed");
  }

  @Test
  void withTransitionNoise_ofAnotherShape_isRefusedWithBoth() {
    SamplingRequest request = SamplingRequest.of(manager.ones(SHAPE), GRID);
    NDArray other = manager.ones(new Shape(1, 12, 5));
    assertThatThrownBy(() -> request.withTransitionNoise(other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("(2, 12, 5)")
        .hasMessageContaining("(1, 12, 5)");
  }

  @Test
  void withTransitionNoise_ofAnotherType_isRefused() {
    SamplingRequest request = SamplingRequest.of(manager.ones(SHAPE), GRID);
    assertThatThrownBy(() -> request.withTransitionNoise(ofType(DataType.BFLOAT16)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("transition noise must be FLOAT32, got BFLOAT16");
  }

  @Test
  void withKnown_ofAnotherShapeOrType_isRefused() {
    SamplingRequest request = SamplingRequest.of(manager.ones(SHAPE), GRID);
    NDArray other = manager.ones(new Shape(1, 12, 5));
    assertThatThrownBy(() -> request.withKnown(other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("known latents must have the shape and device of the noise")
        .hasMessageContainingAll("(2, 12, 5)", "got (1, 12, 5)");
    assertThatThrownBy(() -> request.withKnown(ofType(DataType.BFLOAT16)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("known latents must be FLOAT32, got BFLOAT16");
  }

  @Test
  void withMask_ofAnotherShapeOrType_isRefused() {
    SamplingRequest request =
        SamplingRequest.of(manager.ones(SHAPE), GRID).withKnown(manager.zeros(SHAPE));
    NDArray other = manager.ones(new Shape(2, 12, 1));
    assertThatThrownBy(() -> request.withMask(other))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("mask must have the shape and device of the noise")
        .hasMessageContainingAll("(2, 12, 5)", "got (2, 12, 1)");
    assertThatThrownBy(() -> request.withMask(ofType(DataType.BFLOAT16)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("mask must be FLOAT32, got BFLOAT16");
  }

  @Test
  void withKnown_afterAMask_forgetsTheMask() {
    NDArray clean = manager.zeros(SHAPE);
    SamplingRequest masked =
        SamplingRequest.of(manager.ones(SHAPE), GRID).withKnown(clean).withMask(clean);
    assertThat(masked.mask()).containsSame(clean);
    assertThat(masked.withKnown(clean).mask()).isEmpty();
  }

  @Test
  void withAnchors_ofAnotherGrid_isRefusedWithBoth() {
    SamplingRequest request = SamplingRequest.of(manager.ones(SHAPE), GRID);
    TokenSubset anchors = TokenSubset.all(new TokenGrid(4, 3), 1);
    assertThatThrownBy(() -> request.withAnchors(anchors))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("4 x 3")
        .hasMessageContaining("3 x 4");
  }

  @Test
  void withAnchors_ofAnotherBatchSize_isRefused() {
    SamplingRequest request = SamplingRequest.of(manager.ones(SHAPE), GRID);
    TokenSubset anchors = TokenSubset.all(GRID, 3);
    assertThatThrownBy(() -> request.withAnchors(anchors))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 samples");
  }

  @Test
  void withAnchors_ofOneSample_servesTheBatch() {
    TokenSubset anchors = TokenSubset.of(GRID, new int[] {5, 1});
    SamplingRequest request = SamplingRequest.of(manager.ones(SHAPE), GRID).withAnchors(anchors);
    assertThat(request.anchors(0)).contains(anchors.forSamples(2));
    assertThat(request.anchors(1)).isEmpty();
  }

  @Test
  void seeded_ofABatch_equalsEachSeedAloneBitForBit() {
    long[] seeds = {42, -7, 1L << 40};
    SamplingRequest batch = SamplingRequest.seeded(manager, GRID, 5, seeds);
    assertThat(batch.noise().getShape()).isEqualTo(new Shape(3, 12, 5));
    for (int b = 0; b < seeds.length; b++) {
      SamplingRequest alone = SamplingRequest.seeded(manager, GRID, 5, seeds[b]);
      assertThat(batch.noise().get(b).toFloatArray()).isEqualTo(alone.noise().toFloatArray());
      assertThat(batch.transitionNoise().orElseThrow().get(b).toFloatArray())
          .isEqualTo(alone.transitionNoise().orElseThrow().toFloatArray());
    }
  }

  @Test
  void seeded_ofASeed_drawsNoiseThenTransitionNoiseFromOneGenerator() {
    SamplingRequest request = SamplingRequest.seeded(manager, GRID, 5, 42);
    TorchNoise generator = new TorchNoise(42);
    assertThat(request.noise().toFloatArray()).isEqualTo(generator.draw(60));
    assertThat(request.transitionNoise().orElseThrow().toFloatArray())
        .isEqualTo(generator.draw(60));
  }

  @Test
  void seeded_withoutSeedOrChannel_isRefusedWithBoth() {
    assertThatThrownBy(() -> SamplingRequest.seeded(manager, GRID, 5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 0 and 5");
    assertThatThrownBy(() -> SamplingRequest.seeded(manager, GRID, 0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 1 and 0");
  }

  @Test
  void seeded_ofMoreNumbersThanAnArrayHolds_isRefusedWithThem() {
    assertThatThrownBy(
            () -> SamplingRequest.seeded(manager, new TokenGrid(32_768, 32_768), 64, 1, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("2 samples", "1073741824 tokens", "64 channels");
  }

  @Test
  void seeded_onAClosedManager_isRefused() {
    NDManager closed = manager.newSubManager();
    closed.close();
    assertThatThrownBy(() -> SamplingRequest.seeded(closed, GRID, 5, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void request_changedByWithers_staysAsItWas() {
    SamplingRequest request = SamplingRequest.of(manager.ones(SHAPE), GRID);
    request.withAnchors(TokenSubset.all(GRID, 1)).withTransitionNoise(manager.zeros(SHAPE));
    assertThat(request.anchors(0)).isEmpty();
    assertThat(request.transitionNoise()).isEmpty();
  }
}
