package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.ActiveTokens;
import io.jitflow.core.testing.ArrayTest;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.torchscript.TorchScriptArchive;
import io.jitflow.flux.weights.DType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A network whose bfloat16 weights were converted in place computes exactly what the network with
 * the same numbers in a float32 file does, and not what it did before.
 */
class ToFloat32Test extends ArrayTest {
  private static final Device CPU = Device.cpu();

  @TempDir Path folder;

  ToFloat32Test() {
    super(CPU);
  }

  private Path stored(NetworkProgram program, DType dtype) throws IOException {
    return SmallNetworks.write(program, folder, SmallNetworks.weights(program, name -> dtype));
  }

  /** The numbers of the bfloat16 weights in a float32 file. */
  private Path widened(NetworkProgram program) throws IOException {
    Function<String, TensorSource> narrow = SmallNetworks.weights(program, name -> DType.BF16);
    return SmallNetworks.write(program, folder, name -> wide(narrow.apply(name)));
  }

  private static TensorSource wide(TensorSource narrow) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      narrow.writeTo(Channels.newChannel(out));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ByteBuffer bytes = ByteBuffer.wrap(out.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    float[] values = new float[bytes.remaining() / Short.BYTES];
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(bytes.getShort() << 16);
    }
    return HeapTensor.of(DType.F32, values, narrow.shape());
  }

  private NDArray values(long... shape) {
    NDArray ramp = manager.arange((int) new Shape(shape).size());
    return ramp.toType(DataType.FLOAT32, false).mul(0.37f).sin().reshape(shape);
  }

  @Test
  void transformer_converted_computesInFloat32() throws IOException {
    NetworkProgram program = NetworkProgram.of(SmallNetworks.FLUX);
    try (FluxTransformer converted =
            FluxTransformer.load(stored(program, DType.BF16), CPU, SmallNetworks.FLUX);
        FluxTransformer expected =
            FluxTransformer.load(widened(program), CPU, SmallNetworks.FLUX)) {
      assertConverts(
          "velocity", converted::toFloat32, () -> velocity(converted), velocity(expected));
    }
  }

  @Test
  void computeInFloat32_withMatricesAsStored_givesTheSame() throws IOException {
    NDArray ids = manager.create(new long[] {3, 7, 1, 9}, new Shape(1, 4));
    double[] sigmas = {0.9, 0.4};
    for (DType dtype : new DType[] {DType.BF16, DType.F16}) {
      Path flux = stored(NetworkProgram.of(SmallNetworks.FLUX), dtype);
      Path modulation = stored(NetworkProgram.modulation(SmallNetworks.FLUX), dtype);
      Path t5 = stored(NetworkProgram.of(SmallNetworks.T5), dtype);
      try (FluxTransformer expected = FluxTransformer.load(flux, CPU, SmallNetworks.FLUX);
          FluxTransformer widening = FluxTransformer.load(flux, CPU, SmallNetworks.FLUX)) {
        assertThat(expected.toFloat32()).isTrue();
        assertThat(widening.computeInFloat32()).isTrue();
        Arrays32.assertIdentical("velocity", velocity(widening), velocity(expected));
      }
      try (FluxModulation expected = FluxModulation.load(modulation, CPU, SmallNetworks.FLUX);
          FluxModulation widening = FluxModulation.load(modulation, CPU, SmallNetworks.FLUX)) {
        assertThat(expected.toFloat32()).isTrue();
        assertThat(widening.computeInFloat32()).isTrue();
        Arrays32.assertIdentical(
            "rows",
            widening.rows(values(1, 10), sigmas, 3.5),
            expected.rows(values(1, 10), sigmas, 3.5));
      }
      try (T5TextEncoder expected = T5TextEncoder.load(t5, CPU, SmallNetworks.T5);
          T5TextEncoder widening = T5TextEncoder.load(t5, CPU, SmallNetworks.T5)) {
        assertThat(expected.toFloat32()).isTrue();
        assertThat(widening.computeInFloat32()).isTrue();
        Arrays32.assertIdentical("T5", widening.encode(ids), expected.encode(ids));
      }
    }
  }

  /** A network computes something else, and what is expected, once it is converted. */
  private static void assertConverts(
      String what, BooleanSupplier toFloat32, Supplier<NDArray> found, NDArray expected) {
    NDArray before = found.get();
    assertThat(toFloat32.getAsBoolean()).isTrue();
    NDArray after = found.get();
    Arrays32.assertIdentical(what, after, expected);
    assertThat(after.contentEquals(before)).isFalse();
  }

  private NDArray velocity(FluxTransformer network) {
    NDArray ids = new ActiveTokens(manager, TokenSubset.all(new TokenGrid(2, 3), 1)).positions();
    NDArray rows = values(1, SmallNetworks.FLUX.modulationRows(), SmallNetworks.FLUX.hiddenSize());
    return network.velocity(values(1, 6, 8), ids, values(1, 5, 12), rows);
  }

  @Test
  void modulation_converted_computesInFloat32() throws IOException {
    NetworkProgram program = NetworkProgram.modulation(SmallNetworks.FLUX);
    double[] sigmas = {0.9, 0.4};
    NDArray vec = values(1, 10);
    try (FluxModulation converted =
            FluxModulation.load(stored(program, DType.BF16), CPU, SmallNetworks.FLUX);
        FluxModulation expected = FluxModulation.load(widened(program), CPU, SmallNetworks.FLUX)) {
      assertConverts(
          "rows",
          converted::toFloat32,
          () -> converted.rows(vec, sigmas, 3.5),
          expected.rows(vec, sigmas, 3.5));
    }
  }

  @Test
  void textEncoders_converted_computeInFloat32() throws IOException {
    NDArray ids = manager.create(new long[] {3, 7, 1, 9}, new Shape(1, 4));
    NetworkProgram clipProgram = NetworkProgram.of(SmallNetworks.CLIP);
    try (ClipTextEncoder converted =
            ClipTextEncoder.load(stored(clipProgram, DType.BF16), CPU, SmallNetworks.CLIP);
        ClipTextEncoder expected =
            ClipTextEncoder.load(widened(clipProgram), CPU, SmallNetworks.CLIP)) {
      assertConverts(
          "CLIP",
          converted::toFloat32,
          () -> converted.encode(ids).pooled(),
          expected.encode(ids).pooled());
    }
    NetworkProgram t5Program = NetworkProgram.of(SmallNetworks.T5);
    try (T5TextEncoder converted =
            T5TextEncoder.load(stored(t5Program, DType.BF16), CPU, SmallNetworks.T5);
        T5TextEncoder expected = T5TextEncoder.load(widened(t5Program), CPU, SmallNetworks.T5)) {
      assertConverts("T5", converted::toFloat32, () -> converted.encode(ids), expected.encode(ids));
    }
  }

  @Test
  void vaeDecoder_converted_computesInFloat32() throws IOException {
    NetworkProgram program = NetworkProgram.of(SmallNetworks.VAE);
    NDArray latent = values(1, 4, 3, 5);
    try (VaeDecoder converted =
            VaeDecoder.load(stored(program, DType.BF16), CPU, SmallNetworks.VAE);
        VaeDecoder expected = VaeDecoder.load(widened(program), CPU, SmallNetworks.VAE)) {
      assertConverts(
          "image", converted::toFloat32, () -> converted.decode(latent), expected.decode(latent));
    }
  }

  @Test
  void toFloat32_ofAForeignModule_saysNoAndLeavesItAsItIs() throws IOException {
    String code =
        """
        class Enlarge(Module):
          __parameters__ = []
          __buffers__ = []
          def forward(self: __torch__.enlarge.Enlarge, latent: Tensor) -> Tensor:
            return torch.upsample_nearest2d(torch.slice(latent, 1, 0, 3), None, [4., 4.])
        """;
    Path file = folder.resolve("enlarge.pt");
    ScriptModule root = ScriptModule.builder("__torch__.enlarge.Enlarge").build();
    TorchScriptArchive.write(file, "enlarge", root, Map.of("enlarge", code), bytes -> {});
    try (VaeDecoder foreign = VaeDecoder.load(file, CPU, SmallNetworks.VAE)) {
      assertThat(foreign.toFloat32()).isFalse();
      assertThat(foreign.decode(values(1, 4, 3, 5)).getShape()).isEqualTo(new Shape(1, 3, 12, 20));
    }
  }
}
