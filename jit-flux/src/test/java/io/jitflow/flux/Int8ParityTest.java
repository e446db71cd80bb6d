package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.TorchNoise;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.network.FluxModulation;
import io.jitflow.flux.network.FluxTransformer;
import io.jitflow.flux.network.T5TextEncoder;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** flux-mini's trained networks with 8-bit weights, against the same with float32 weights. */
class Int8ParityTest {
  @TempDir Path scratch;
  private NDManager manager;
  private FluxBundle wide;
  private FluxBundle narrow;

  @BeforeEach
  void convert() throws IOException {
    manager = NDManager.newBaseManager(Device.cpu());
    FluxCheckpoint mini = FluxCheckpoint.ofDirectory(Fixtures.folder("flux-mini"));
    wide = ParityBundle.convert(mini, DType.F32, scratch);
    narrow = ParityBundle.convert(mini, DType.I8, scratch);
  }

  @AfterEach
  void close() {
    manager.close();
  }

  /** Root of the mean square of the difference over that of the expected values. */
  private static double relativeError(NDArray found, NDArray expected) {
    double difference = found.sub(expected).square().mean().getFloat();
    return Math.sqrt(difference / expected.square().mean().getFloat());
  }

  private NDArray velocity(FluxBundle bundle, double sigma) throws IOException {
    TokenGrid grid = new TokenGrid(16, 16);
    TorchNoise random = new TorchNoise(3);
    NDArray img = random.draw(manager, new Shape(1, grid.tokens(), 64));
    NDArray txt = random.draw(manager, new Shape(1, 16, bundle.transformer().textWidth()));
    NDArray vec = random.draw(manager, new Shape(1, bundle.transformer().pooledWidth()));
    NDArray ids = new ActiveTokens(manager, TokenSubset.all(grid, 1)).positions();
    try (FluxModulation modulation =
            FluxModulation.load(bundle.requireModulation(), Device.cpu(), bundle.transformer());
        FluxTransformer transformer =
            FluxTransformer.load(
                bundle.file(FluxNetwork.TRANSFORMER), Device.cpu(), bundle.transformer())) {
      NDArray rows = modulation.rows(vec, new double[] {sigma}, 3.5);
      return transformer.velocity(img, ids, txt, rows);
    }
  }

  @Test
  void transformer_int8_isWithinTheDocumentedError() throws IOException {
    for (double sigma : new double[] {1, 0.6, 0.2}) {
      double error = relativeError(velocity(narrow, sigma), velocity(wide, sigma));
      assertThat(error).as("sigma " + sigma).isBetween(1e-3, 0.02);
    }
  }

  @Test
  void t5_int8_isWithinTheDocumentedError() throws IOException {
    NDArray ids = manager.create(new long[] {5, 17, 300, 42, 9, 1, 0, 0}, new Shape(1, 8));
    NDArray expected = t5(wide, ids);
    double error = relativeError(t5(narrow, ids), expected);
    assertThat(error).isBetween(1e-3, 0.03);
  }

  private static NDArray t5(FluxBundle bundle, NDArray ids) throws IOException {
    try (T5TextEncoder encoder =
        T5TextEncoder.load(
            bundle.file(FluxNetwork.TEXT_ENCODER_2), Device.cpu(), bundle.textEncoder2())) {
      return encoder.encode(ids);
    }
  }
}
