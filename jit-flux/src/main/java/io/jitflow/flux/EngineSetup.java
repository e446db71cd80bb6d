package io.jitflow.flux;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.engine.StandardCapabilities;
import ai.djl.pytorch.jni.JniUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What must be known of DJL and libtorch before anything is computed. */
final class EngineSetup {
  private static final Logger LOG = LoggerFactory.getLogger(FluxPipeline.class);
  private static final String CUDA_STREAM = "ai.djl.pytorch.enable_cuda_stream";
  private static final AtomicBoolean GPU_LOOKED_FOR = new AtomicBoolean();

  /** What DJL needs for counting and measuring GPUs, as an advice. */
  static final String LIBCUDART =
      "put the folder of CUDA's libcudart.so on the loader's path (LD_LIBRARY_PATH, or the system"
          + " property jna.library.path)";

  private EngineSetup() {}

  /**
   * Refuses a setting that gives wrong results, and warns once if a GPU lies idle.
   *
   * @throws IllegalStateException if {@code ai.djl.pytorch.enable_cuda_stream} is set
   */
  static void check(FluxOptions options) {
    if (Boolean.getBoolean(CUDA_STREAM)) {
      throw new IllegalStateException(
          "the system property %s is true: networks would run on a CUDA stream that nothing waits for, and their results be read unfinished; start Java without it"
              .formatted(CUDA_STREAM));
    }
    boolean isCpuMeant = options.device().isPresent() && !options.device().get().isGpu();
    if (!isCpuMeant
        && !GPU_LOOKED_FOR.getAndSet(true)
        && Engine.getEngine("PyTorch").getGpuCount() == 0
        && hasNvidiaGpu(Path.of("/"))) {
      Engine engine = Engine.getEngine("PyTorch");
      LOG.warn(idleGpu(engine.hasCapability(StandardCapabilities.CUDA), engine.getVersion()));
    }
  }

  /**
   * Why a GPU lies idle. DJL counts GPUs with libcudart, which it looks for by itself: that
   * libtorch has found it does not help.
   */
  static String idleGpu(boolean hasCuda, String version) {
    String cause =
        hasCuda
            ? "the libtorch that was loaded has CUDA, but DJL counts no GPU: " + LIBCUDART
            : "the libtorch that was loaded runs on the CPU only: remove pytorch-native-cpu from"
                + " the class path and let DJL download the CUDA build, or point"
                + " PYTORCH_LIBRARY_PATH (with PYTORCH_FLAVOR=cu128) at a libtorch "
                + version
                + " with CUDA";
    return "This machine has an NVIDIA GPU, but "
        + cause
        + "; device \"cpu\" in the options says that the CPU is meant";
  }

  /** Gives the memory that libtorch keeps for its next tensors back to a GPU, if it can. */
  static void releaseUnused(Device device) {
    if (device.isGpu() && Engine.getEngine("PyTorch").hasCapability(StandardCapabilities.CUDA)) {
      try {
        JniUtils.emptyCudaCache();
      } catch (EngineException e) { // after an error of the device: that one is to be told
        LOG.warn("the memory that libtorch keeps on {} was not given back", device, e);
      }
    }
  }

  /** Whether the driver knows a GPU, whatever libtorch can do with it. */
  static boolean hasNvidiaGpu(Path root) {
    Path driver = root.resolve("proc/driver/nvidia/gpus");
    if (Files.isDirectory(driver)) {
      try (Stream<Path> gpus = Files.list(driver)) {
        return gpus.findAny().isPresent();
      } catch (IOException e) {
        return false; // only a hint depends on it
      }
    }
    return Files.exists(root.resolve("dev/nvidia0"))
        || Files.exists(root.resolve("Windows/System32/nvcuda.dll"));
  }

  /** Engine, version and device in a few words. */
  static String describe(Device device) {
    Engine engine = Engine.getEngine("PyTorch");
    return "%s %s on %s".formatted(engine.getEngineName(), engine.getVersion(), device);
  }
}
