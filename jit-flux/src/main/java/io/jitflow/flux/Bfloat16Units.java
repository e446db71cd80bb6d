package io.jitflow.flux;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.IValueUtils;
import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TorchScriptArchive;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether bfloat16 is fast on this processor. Without units for it (AMX, AVX512-BF16) it takes many
 * times as long as float32, with them a half or less.
 *
 * <p>First libtorch is asked: the limits that users set for oneDNN count. Where it takes bfloat16,
 * Linux tells the processor's features, which do not change with the load of the machine; elsewhere
 * linear layers and convolutions are timed in both types.
 *
 * @param present whether it is fast
 * @param reason how that was found, for the log
 */
record Bfloat16Units(boolean present, String reason) {
  private static final Logger LOG = LoggerFactory.getLogger(FluxPipeline.class);
  private static final String PROGRAM = "bfloat16_units";
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
  private static final List<String> FEATURES = List.of("amx_bf16", "avx512_bf16");
  private static final int ROUNDS = 20;

  /** Gains below this are left, so that chance does not decide between two close types. */
  private static final double LEAST_GAIN = 1.5;

  /** Finds out once per process, in less than a second. */
  static Bfloat16Units ofThisMachine() {
    return Known.UNITS;
  }

  private static final class Known {
    static final Bfloat16Units UNITS = findOrNone();
  }

  private static Bfloat16Units findOrNone() {
    try {
      return find();
    } catch (IOException | MalformedModelException | RuntimeException e) {
      // builds of libtorch without oneDNN, such as Apple's, do not know the question
      LOG.debug("libtorch cannot say whether it takes bfloat16", e);
      return new Bfloat16Units(false, "libtorch has no oneDNN");
    }
  }

  private static Bfloat16Units find() throws IOException, MalformedModelException {
    Path folder = Files.createTempDirectory("jit-flux");
    Path file = folder.resolve(PROGRAM + ".pt");
    try (Model model = Model.newInstance(PROGRAM, Device.cpu(), "PyTorch")) {
      ScriptModule module = ScriptModule.builder("__torch__." + PROGRAM + ".Trial").build();
      TorchScriptArchive.write(file, PROGRAM, module, Map.of(PROGRAM, code()), written -> {});
      model.load(folder, PROGRAM + ".pt");
      PtSymbolBlock block = (PtSymbolBlock) model.getBlock();
      if (!isKnown(block)) {
        return new Bfloat16Units(false, "oneDNN does not take it");
      }
      if (Files.isReadable(CPU_INFO)) {
        Optional<Bfloat16Units> told = ofFeatures(Files.readString(CPU_INFO));
        if (told.isPresent()) {
          return told.get();
        }
      }
      return timed(block, model.getNDManager().ones(new Shape(128, 256)));
    } finally {
      Files.deleteIfExists(file);
      Files.delete(folder);
    }
  }

  private static boolean isKnown(PtSymbolBlock block) {
    try (IValue answer = IValueUtils.runMethod(block, "is_known")) {
      return answer.toBoolean();
    }
  }

  /** What Linux says of an x86 processor; empty for others, whose features have other names. */
  static Optional<Bfloat16Units> ofFeatures(String cpuInfo) {
    Optional<String> flags = cpuInfo.lines().filter(line -> line.startsWith("flags")).findFirst();
    return flags.map(
        line -> {
          List<String> names = List.of(line.split("\\s+"));
          Optional<String> found = FEATURES.stream().filter(names::contains).findFirst();
          return found
              .map(feature -> new Bfloat16Units(true, feature))
              .orElse(new Bfloat16Units(false, "neither " + String.join(" nor ", FEATURES)));
        });
  }

  private static Bfloat16Units timed(PtSymbolBlock block, NDArray x) {
    double float32 = Double.POSITIVE_INFINITY;
    double bfloat16 = Double.POSITIVE_INFINITY;
    for (int i = 0; i < ROUNDS; i++) {
      float32 = Math.min(float32, millis(block, x, "float32"));
      bfloat16 = Math.min(bfloat16, millis(block, x, "bfloat16"));
    }
    return new Bfloat16Units(
        bfloat16 * LEAST_GAIN < float32,
        String.format(Locale.ROOT, "a trial took %.1f ms, in float32 %.1f ms", bfloat16, float32));
  }

  private static double millis(PtSymbolBlock block, NDArray x, String method) {
    long start = System.nanoTime();
    try (IValue input = IValue.from((PtNDArray) x)) {
      IValueUtils.runMethod(block, method, input).close();
    }
    return (System.nanoTime() - start) / 1e6;
  }

  private static String code() throws IOException {
    try (InputStream in = Bfloat16Units.class.getResourceAsStream(PROGRAM + ".py")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
