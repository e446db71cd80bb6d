package io.jitflow.examples.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.util.cuda.CudaUtils;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.SamplingStep;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.FluxModulation;
import io.jitflow.flux.network.FluxTransformer;
import io.jitflow.flux.network.ModuleFile;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * What a device makes of FLUX.1's transformer: milliseconds per forward pass, seconds of denoising
 * and peak memory, with the real widths and random weights, so that nothing must be downloaded.
 */
public final class DeviceBenchmark {
  /** FLUX.1-dev. */
  public static final FluxArchitecture FLUX_DEV =
      new FluxArchitecture(
          64, 3072, 24, 12288, List.of(16, 56, 56), 19, 38, 4096, 768, true, 10000);

  private static final int[] TOKENS = {4096, 2457, 1310};
  private static final int TEXT_TOKENS = 512;
  private static final int FULL_STEPS = 50;
  private static final double GB = 1e9;

  private DeviceBenchmark() {}

  /**
   * What is measured.
   *
   * @param device where
   * @param architecture the widths, and as many blocks as fit
   * @param weights F32, BF16, F16 or I8, whose other tensors are BF16 then, or F32
   * @param float32 whether it computes in float32
   * @param streamed whether weights stay in host memory
   * @param tokens image tokens, or empty for the usual ones
   * @param repetitions measured passes of each token count
   */
  public record Setup(
      Device device,
      FluxArchitecture architecture,
      DType weights,
      boolean float32,
      boolean streamed,
      List<Integer> tokens,
      int repetitions) {}

  /** FLUX.1-dev's widths with fewer blocks. */
  public static FluxArchitecture fluxDev(int doubleBlocks, int singleBlocks) {
    FluxArchitecture a = FLUX_DEV;
    return new FluxArchitecture(
        a.inChannels(),
        a.hiddenSize(),
        a.heads(),
        a.mlpWidth(),
        a.ropeAxes(),
        doubleBlocks,
        singleBlocks,
        a.textWidth(),
        a.pooledWidth(),
        a.guidanceEmbedding(),
        a.theta());
  }

  /** Measures and prints a Markdown table. */
  public static void run(PrintStream out, Setup setup) throws IOException {
    FluxArchitecture a = setup.architecture();
    boolean whole =
        a.doubleBlocks() == FLUX_DEV.doubleBlocks() && a.singleBlocks() == FLUX_DEV.singleBlocks();
    boolean int8 = setup.weights() == DType.I8;
    NetworkProgram program = int8 ? NetworkProgram.int8(a) : NetworkProgram.of(a);
    Path skeleton = Files.createTempFile("flux-dev", ".pt");
    try (NDManager manager = NDManager.newBaseManager(setup.device())) {
      DType rest = setup.float32() ? DType.F32 : DType.BF16;
      program.writeSkeleton(
          skeleton,
          name ->
              int8 ? program.int8Weights().containsValue(name) ? DType.I8 : rest : setup.weights());
      long before = used(setup.device());
      try (FluxTransformer transformer =
          FluxTransformer.load(
              ModuleFile.random(skeleton).withHostMemory(setup.streamed()), setup.device(), a)) {
        if (setup.float32() && !int8) {
          transformer.toFloat32();
        }
        long loaded = used(setup.device());
        out.printf(
            "%s, %d + %d of %d + %d blocks, weights %s, arithmetic %s%s, %d text tokens; before"
                + " loading %.2f GB, after %.2f GB%n%n",
            setup.device(),
            a.doubleBlocks(),
            a.singleBlocks(),
            FLUX_DEV.doubleBlocks(),
            FLUX_DEV.singleBlocks(),
            setup.weights(),
            setup.float32() || setup.weights() == DType.F32 ? "float32" : "as stored",
            setup.streamed() ? ", streamed" : "",
            TEXT_TOKENS,
            before / GB,
            loaded / GB);
        out.println(
            "| image tokens | ms per forward | CPU ms | TFLOP/s | peak, GB | all blocks, ms |");
        out.println("|---|---|---|---|---|---|");
        double rate = 0;
        for (int tokens : tokens(setup)) {
          List<Double> cpu = new ArrayList<>();
          double ms = measure(manager, transformer, tokens, setup, cpu);
          double flops = a.forwardFlops(tokens, TEXT_TOKENS);
          rate = Math.max(rate, flops / ms * 1e3);
          double all = ms * FLUX_DEV.forwardFlops(tokens, TEXT_TOKENS) / flops;
          out.printf(
              "| %,d | %.1f | %.0f | %.3f | %.2f | %.0f%s |%n",
              tokens,
              ms,
              Amounts.median(cpu),
              flops / ms / 1e9,
              peak(setup.device()) / GB,
              all,
              whole ? "" : ", by arithmetic");
        }
        seconds(out, manager, rate, whole);
      }
      modulation(out, manager, setup, skeleton);
    } finally {
      Files.delete(skeleton);
    }
  }

  /** What every step would take more if it modulated by itself. */
  private static void modulation(PrintStream out, NDManager manager, Setup setup, Path skeleton)
      throws IOException {
    FluxArchitecture a = setup.architecture();
    DType dtype = setup.weights() == DType.I8 ? DType.BF16 : setup.weights();
    NetworkProgram.modulation(a).writeSkeleton(skeleton, name -> dtype);
    try (FluxModulation network =
        FluxModulation.load(
            ModuleFile.random(skeleton).withHostMemory(setup.streamed()), setup.device(), a)) {
      if (setup.float32()) {
        network.toFloat32();
      }
      ModulationTime.print(out, manager, network, a.pooledWidth());
    }
  }

  private static List<Integer> tokens(Setup setup) {
    if (!setup.tokens().isEmpty()) {
      return setup.tokens();
    }
    List<Integer> usual = new ArrayList<>();
    for (int tokens : TOKENS) {
      usual.add(tokens);
    }
    return usual;
  }

  private static double measure(
      NDManager manager, FluxTransformer transformer, int tokens, Setup setup, List<Double> cpu) {
    FluxArchitecture a = setup.architecture();
    List<Double> times = new ArrayList<>();
    ProcessMemory.resetPeak();
    for (int run = 0; run <= setup.repetitions(); run++) {
      try (NDManager pass = manager.newSubManager()) {
        NDArray img = pass.randomNormal(new Shape(1, tokens, a.inChannels()));
        NDArray ids = pass.arange(3 * tokens).toType(DataType.FLOAT32, false).reshape(1, tokens, 3);
        NDArray txt = pass.randomNormal(new Shape(1, TEXT_TOKENS, a.textWidth()));
        NDArray rows = pass.randomNormal(new Shape(1, a.modulationRows(), a.hiddenSize()));
        img.sum().getFloat(); // the device has nothing left to do
        Stopwatch watch = new Stopwatch();
        transformer.velocity(img, ids, txt, rows.mul(0.1f)).sum().getFloat();
        if (run > 0) { // the first one warms up
          times.add(watch.millis());
          cpu.add(watch.cpuMillis());
        }
      }
    }
    return Amounts.median(times);
  }

  /** The samplers' transformer time at the best rate that was measured. */
  private static void seconds(PrintStream out, NDManager manager, double rate, boolean whole) {
    double full = FULL_STEPS * FLUX_DEV.forwardFlops(TOKENS[0], TEXT_TOKENS);
    out.printf(
        "%nDenoising 1024 x 1024 px%s: %d full steps %.1f s",
        whole ? "" : " with all blocks, by arithmetic from the best rate above",
        FULL_STEPS,
        full / rate);
    for (String preset : JitConfig.presets()) {
      out.printf(", %s %.1f s", preset, flops(manager, preset) / rate);
    }
    out.println();
  }

  private static double flops(NDManager manager, String preset) {
    double[] flops = new double[1];
    Sampler sampler = new JitSampler(JitConfig.preset(preset));
    try (NDManager run = manager.newSubManager(Device.cpu())) {
      SamplingRequest request =
          SamplingRequest.seeded(run, new TokenGrid(64, 64), FLUX_DEV.inChannels(), 1);
      sampler
          .sample(
              (tokens, at, sigma) -> tokens.mul(0.5f),
              request.withListener(
                  (SamplingStep step) ->
                      flops[0] += FLUX_DEV.forwardFlops(step.active().count(), TEXT_TOKENS)))
          .close();
    }
    return flops[0];
  }

  private static long used(Device device) {
    if (device.isGpu()) {
      return CudaUtils.getGpuMemory(device).getCommitted();
    }
    return ProcessMemory.resetPeak().orElse(0);
  }

  /** On a GPU what the engine holds, which it does not give back between passes. */
  private static long peak(Device device) {
    if (device.isGpu()) {
      return CudaUtils.getGpuMemory(device).getCommitted();
    }
    OptionalLong peak = ProcessMemory.peak();
    return peak.orElse(0);
  }
}
