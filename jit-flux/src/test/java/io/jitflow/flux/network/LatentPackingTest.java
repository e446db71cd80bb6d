package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.core.testing.Npz;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import org.junit.jupiter.api.Test;

class LatentPackingTest extends ArrayTest {

  @Test
  void packAndUnpack_recordedLatents_matchExactly() {
    Npz npz = Npz.read(manager, Fixtures.folder("parity/seed-noise/packing.npz"));
    NDArray tokens = LatentPacking.pack(npz.get("latents"));
    Arrays32.assertIdentical("tokens", tokens, npz.get("tokens"));
    NDArray latents = LatentPacking.unpack(tokens, new TokenGrid(3, 5));
    Arrays32.assertIdentical("latents", latents, npz.get("latents"));
  }

  @Test
  void positionIds_recordedGrid_matchForEverySample() {
    Npz npz = Npz.read(manager, Fixtures.folder("parity/seed-noise/packing.npz"));
    try (ActiveTokens all = new ActiveTokens(manager, TokenSubset.all(new TokenGrid(3, 5), 2))) {
      Arrays32.assertIdentical("first", all.positions().get(0), npz.get("img_ids"));
      Arrays32.assertIdentical("second", all.positions().get(1), npz.get("img_ids"));
    }
  }

  @Test
  void packAndUnpack_leaveNothingBehind() {
    NDArray latents = manager.zeros(new Shape(1, 4, 4, 6));
    int before = manager.getManagedArrays().size();
    LatentPacking.unpack(LatentPacking.pack(latents), new TokenGrid(2, 3));
    assertThat(manager.getManagedArrays()).hasSize(before + 2);
  }

  @Test
  void pack_oddHeight_isRefused() {
    NDArray latents = manager.zeros(new Shape(1, 4, 5, 6));
    assertThatThrownBy(() -> LatentPacking.pack(latents))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("even height")
        .hasMessageContaining("(1, 4, 5, 6)");
  }

  @Test
  void pack_float64_isRefused() {
    NDArray latents = manager.zeros(new Shape(1, 4, 4, 6), DataType.FLOAT64);
    assertThatThrownBy(() -> LatentPacking.pack(latents))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("FLOAT32")
        .hasMessageContaining("float64");
  }

  @Test
  void unpack_otherTokenCount_isRefused() {
    NDArray tokens = manager.zeros(new Shape(1, 7, 64));
    assertThatThrownBy(() -> LatentPacking.unpack(tokens, new TokenGrid(2, 3)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("(batch, 6, a multiple of 4)")
        .hasMessageContaining("(1, 7, 64)");
  }
}
