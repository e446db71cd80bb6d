package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextEncoderTest extends ArrayTest {
  @TempDir Path folder;

  TextEncoderTest() {
    super(Device.cpu());
  }

  private ClipTextEncoder clip(ClipArchitecture architecture) throws IOException {
    Path file = SmallNetworks.write(NetworkProgram.of(architecture), folder);
    return ClipTextEncoder.load(file, Device.cpu(), architecture);
  }

  private T5TextEncoder t5(Function<String, TensorSource> weights) throws IOException {
    Path file = SmallNetworks.write(NetworkProgram.of(SmallNetworks.T5), folder, weights);
    return T5TextEncoder.load(file, Device.cpu(), SmallNetworks.T5);
  }

  private static Function<String, TensorSource> t5Weights(Function<String, DType> dtypes) {
    return SmallNetworks.weights(NetworkProgram.of(SmallNetworks.T5), dtypes);
  }

  private NDArray ids(long... ids) {
    return manager.create(ids, new Shape(1, ids.length));
  }

  @Test
  void clip_laterToken_doesNotReachEarlierOnes() throws IOException {
    try (ClipTextEncoder encoder = clip(SmallNetworks.CLIP)) {
      NDArray one = encoder.encode(ids(3, 4, 5, 6)).lastHiddenState();
      NDArray other = encoder.encode(ids(3, 4, 5, 7)).lastHiddenState();
      Arrays32.assertClose("start", one.get(":, :3"), other.get(":, :3"), 1e-6);
      assertThat(one.get(":, 3").sub(other.get(":, 3")).abs().max().getFloat())
          .isGreaterThan(0.01f);
    }
  }

  private static ClipArchitecture with(int eosTokenId, String activation) {
    ClipArchitecture c = SmallNetworks.CLIP;
    return new ClipArchitecture(
        c.vocabulary(),
        c.width(),
        c.mlpWidth(),
        c.layers(),
        c.heads(),
        c.positions(),
        eosTokenId,
        activation,
        c.layerNormEps());
  }

  @Test
  void clip_pooled_isTheRowOfTheLargestIdOrOfTheNamedOne() throws IOException {
    ClipArchitecture c = SmallNetworks.CLIP;
    ClipArchitecture named = with(5, c.activation());
    NDArray ids = ids(3, 5, 49, 5, 49);
    try (ClipTextEncoder largest = clip(c);
        ClipTextEncoder first = clip(named)) {
      ClipTextEncoder.Encoding a = largest.encode(ids);
      Arrays32.assertIdentical("largest", a.pooled(), a.lastHiddenState().get(":, 2"));
      ClipTextEncoder.Encoding b = first.encode(ids);
      Arrays32.assertIdentical("named", b.pooled(), b.lastHiddenState().get(":, 1"));
    }
  }

  @Test
  void clip_activation_isTheOneOfTheArchitecture() throws IOException {
    ClipArchitecture c = SmallNetworks.CLIP;
    ClipArchitecture gelu = with(c.eosTokenId(), "gelu");
    try (ClipTextEncoder quick = clip(c);
        ClipTextEncoder exact = clip(gelu)) {
      NDArray difference =
          quick.encode(ids(3, 4)).pooled().sub(exact.encode(ids(3, 4)).pooled()).abs();
      // the two activations differ by at most 0.02
      assertThat(difference.max().getFloat()).isBetween(1e-5f, 0.2f);
    }
  }

  @Test
  void clip_tooManyTokens_namesTheLimit() throws IOException {
    try (ClipTextEncoder encoder = clip(SmallNetworks.CLIP)) {
      assertThatThrownBy(() -> encoder.encode(ids(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("CLIP text encoder: input_ids may have at most 9 tokens, got 10");
    }
  }

  @Test
  void clip_idBeyondTheVocabulary_isNamed() throws IOException {
    try (ClipTextEncoder encoder = clip(SmallNetworks.CLIP)) {
      assertThatThrownBy(() -> encoder.encode(ids(3, 50)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0..49, got 50");
    }
  }

  @Test
  void clip_afterClose_saysSo() throws IOException {
    ClipTextEncoder encoder = clip(SmallNetworks.CLIP);
    encoder.close();
    assertThatThrownBy(() -> encoder.encode(ids(3)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the CLIP text encoder is closed");
  }

  @Test
  void t5_halfPrecisionWithWideProjections_comesClose() throws IOException {
    try (T5TextEncoder wide = t5(t5Weights(name -> DType.F32));
        T5TextEncoder half =
            t5(t5Weights(name -> name.endsWith(".wo.weight") ? DType.F32 : DType.F16))) {
      NDArray expected = wide.encode(ids(1, 2, 3, 39));
      // 11 significant bits, cut off rather than rounded, through two blocks
      Arrays32.assertClose("embeddings", half.encode(ids(1, 2, 3, 39)), expected, 0.02);
    }
  }

  @Test
  void t5_halfPrecisionWithLargeProjection_staysFinite() throws IOException {
    Function<String, TensorSource> plain =
        t5Weights(name -> name.endsWith(".wo.weight") ? DType.F32 : DType.F16);
    float[] huge = new float[12 * 20];
    for (int i = 0; i < huge.length; i++) {
      huge[i] = i % 7 * 1e6f;
    }
    try (T5TextEncoder encoder =
        t5(
            name ->
                name.endsWith(".wo.weight")
                    ? HeapTensor.of(DType.F32, huge, 12, 20)
                    : plain.apply(name))) {
      NDArray found = encoder.encode(ids(1, 2, 3));
      assertThat(found.isNaN().any().getBoolean()).isFalse();
      assertThat(found.isInfinite().any().getBoolean()).isFalse();
      assertThat(found.abs().max().getFloat()).isGreaterThan(0.1f);
    }
  }

  @Test
  void t5_anyLength_isAccepted() throws IOException {
    try (T5TextEncoder encoder = t5(t5Weights(name -> DType.F32))) {
      for (int length : new int[] {1, 7, 40}) {
        assertThat(encoder.encode(ids(new long[length])).getShape())
            .isEqualTo(new Shape(1, length, 12));
      }
    }
  }

  @Test
  void t5_integersOf32Bits_areRefused() throws IOException {
    try (T5TextEncoder encoder = t5(t5Weights(name -> DType.F32))) {
      NDArray ids = manager.create(new int[] {1, 2}, new Shape(1, 2));
      assertThatThrownBy(() -> encoder.encode(ids))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("T5 encoder: input_ids must be int64, got int32");
    }
  }

  @Test
  void t5_afterClose_saysSo() throws IOException {
    T5TextEncoder encoder = t5(t5Weights(name -> DType.F32));
    encoder.close();
    assertThatThrownBy(() -> encoder.encode(ids(3)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the T5 encoder is closed");
  }
}
