package io.jitflow.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import io.jitflow.flux.FluxOptions.Arithmetic;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArithmeticChoiceTest {
  private static final FluxOptions OPTIONS = FluxOptions.defaults();
  private static final long MUCH = 1L << 50;
  private static final Bfloat16Units UNITS = new Bfloat16Units(true, "amx_bf16");
  private static final Bfloat16Units NONE = new Bfloat16Units(false, "neither");

  @TempDir static Path scratch;
  private static FluxBundle float32;

  @BeforeAll
  static void convert() throws IOException {
    float32 = FluxBundle.read(TinyBundle.dev(scratch));
  }

  private static FluxBundle stored(DType dtype) {
    Map<FluxNetwork, DType> dtypes = new EnumMap<>(FluxNetwork.class);
    for (FluxNetwork network : FluxNetwork.values()) {
      dtypes.put(network, dtype);
    }
    return new FluxBundle(
        float32.folder(),
        float32.libraryVersion(),
        float32.transformer(),
        float32.textEncoder(),
        float32.textEncoder2(),
        float32.vaeDecoder(),
        dtypes,
        float32.clipTokens(),
        float32.t5Tokens(),
        float32.scheduler(),
        float32.sources(),
        float32.adapters());
  }

  private static ArithmeticChoice choice(
      Arithmetic arithmetic, DType dtype, Device device, Bfloat16Units units) throws IOException {
    return ArithmeticChoice.of(
        OPTIONS.withArithmetic(arithmetic), stored(dtype), device, MUCH, () -> units);
  }

  @Test
  void auto_onACpu_keepsBfloat16OnlyWithUnits() throws IOException {
    ArithmeticChoice with = choice(Arithmetic.AUTO, DType.BF16, Device.cpu(), UNITS);
    assertThat(with.converted()).isEmpty();
    assertThat(with.reason()).contains("bfloat16 arithmetic").contains("amx_bf16");
    ArithmeticChoice without = choice(Arithmetic.AUTO, DType.BF16, Device.cpu(), NONE);
    assertThat(without.converted()).containsExactly(FluxNetwork.values());
    assertThat(without.reason()).contains("float32 arithmetic").contains("neither");
  }

  @Test
  void auto_float16OnACpu_becomesFloat32() throws IOException {
    assertThat(choice(Arithmetic.AUTO, DType.F16, Device.cpu(), UNITS).converted()).hasSize(4);
  }

  @Test
  void auto_onAGpu_isAsStored() throws IOException {
    assertThat(choice(Arithmetic.AUTO, DType.BF16, Device.gpu(), NONE).converted()).isEmpty();
  }

  @Test
  void option_overrides() throws IOException {
    assertThat(choice(Arithmetic.FLOAT32, DType.BF16, Device.cpu(), UNITS).converted()).hasSize(4);
    assertThat(choice(Arithmetic.FLOAT32, DType.BF16, Device.gpu(), UNITS).converted()).hasSize(4);
    assertThat(choice(Arithmetic.AS_STORED, DType.BF16, Device.cpu(), NONE).converted()).isEmpty();
  }

  @Test
  void auto_whenFloat32WouldNotFit_staysAsStoredAndSaysWhy() throws IOException {
    FluxBundle bundle = stored(DType.BF16);
    long transformer = Files.size(bundle.file(FluxNetwork.TRANSFORMER));
    for (MemoryPolicy whole : new MemoryPolicy[] {MemoryPolicy.RESIDENT, MemoryPolicy.SEQUENTIAL}) {
      ArithmeticChoice choice =
          ArithmeticChoice.of(
              OPTIONS.withMemory(whole), bundle, Device.cpu(), transformer, () -> NONE);
      assertThat(choice.converted()).isEmpty();
      assertThat(choice.reason()).contains("as stored").contains("the machine has");
    }
    // streamed weights are widened where they are used
    assertThat(
            ArithmeticChoice.of(OPTIONS, bundle, Device.cpu(), transformer, () -> NONE).converted())
        .hasSize(4);
  }

  @Test
  void features_ofAnX86Processor_nameTheUnits() {
    assertThat(Bfloat16Units.ofFeatures("model\t: 1\nflags\t\t: sse avx512f amx_bf16 amx_tile\n"))
        .hasValue(UNITS);
    assertThat(Bfloat16Units.ofFeatures("flags\t\t: sse avx2 avx512f\n").orElseThrow().present())
        .isFalse();
    assertThat(Bfloat16Units.ofFeatures("Features\t: fp asimd bf16\n")).isEmpty();
  }

  @Test
  void nvidiaGpu_thatTheDriverKnows_isSeen() throws IOException {
    Path root = Files.createTempDirectory(scratch, "root");
    assertThat(EngineSetup.hasNvidiaGpu(root)).isFalse();
    Path driver = Files.createDirectories(root.resolve("proc/driver/nvidia/gpus"));
    assertThat(EngineSetup.hasNvidiaGpu(root)).isFalse();
    Files.createDirectory(driver.resolve("0000:01:00.0"));
    assertThat(EngineSetup.hasNvidiaGpu(root)).isTrue();
  }

  @Test
  void idleGpu_ofALibtorchWithCuda_namesTheLibraryThatDjlMisses() {
    assertThat(EngineSetup.idleGpu(true, "2.7.1"))
        .contains("libcudart", "LD_LIBRARY_PATH", "jna.library.path")
        .doesNotContain("pytorch-native-cpu");
    assertThat(EngineSetup.idleGpu(false, "2.7.1"))
        .contains("remove pytorch-native-cpu", "libtorch 2.7.1 with CUDA")
        .doesNotContain("libcudart");
  }

  @Test
  void load_withCudaStreams_isRefused() {
    System.setProperty("ai.djl.pytorch.enable_cuda_stream", "true");
    try {
      assertThatThrownBy(() -> FluxPipeline.load(float32.folder()))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("enable_cuda_stream is true");
    } finally {
      System.clearProperty("ai.djl.pytorch.enable_cuda_stream");
    }
  }
}
