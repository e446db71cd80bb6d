package io.jitflow.flux.program;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.FluxTransformer;
import io.jitflow.flux.network.ModuleFile;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Memory of processes that load one transformer of FLUX.1's widths with 1 + 2 blocks in float32, as
 * it is or mapped: start two at once and let both wait ({@code docs/benchmarks.md} has the output).
 * Arguments: {@code write FILE}, {@code load FILE}, {@code map FILE}.
 */
final class MappedMemory {
  private static final FluxArchitecture SIZES =
      new FluxArchitecture(64, 3072, 24, 12288, List.of(16, 56, 56), 1, 2, 4096, 768, true, 10000);

  private MappedMemory() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path file = Path.of(arguments[1]);
    NetworkProgram program = NetworkProgram.of(SIZES);
    if (arguments[0].equals("write")) {
      program.write(file, name -> zeros(program.tensors().get(name)), bytes -> {});
      return;
    }
    long start = System.nanoTime();
    ModuleFile module =
        arguments[0].equals("map")
            ? MappedArchive.map(file, program, DType.F32).orElseThrow().file()
            : ModuleFile.of(file);
    try (FluxTransformer transformer = FluxTransformer.load(module, Device.cpu(), SIZES);
        NDManager manager = NDManager.newBaseManager(Device.cpu())) {
      double loading = (System.nanoTime() - start) / 1e9;
      NDArray img = manager.zeros(new Shape(1, 16, 64));
      NDArray ids = manager.zeros(new Shape(1, 16, 3));
      NDArray txt = manager.zeros(new Shape(1, 16, 4096));
      NDArray rows = manager.zeros(new Shape(1, SIZES.modulationRows(), SIZES.hiddenSize()));
      transformer.velocity(img, ids, txt, rows).sum().getFloat();
      Thread.sleep(Long.parseLong(arguments[2]));
      System.out.printf("%s: loaded in %.2f s", arguments[0], loading);
      for (String line : Files.readAllLines(Path.of("/proc/self/smaps_rollup"))) {
        if (line.matches("(Rss|Pss|Private_Dirty|Private_Clean|Shared_Clean):.*")) {
          System.out.printf(", %s", line.replaceAll(" +", " "));
        }
      }
      System.out.println();
      Thread.sleep(Long.parseLong(arguments[2]));
    }
  }

  /** Zeros. */
  private static TensorSource zeros(long... shape) {
    long bytes = Float.BYTES * Arrays.stream(shape).reduce(1, (x, y) -> x * y);
    return TensorSource.of(
        DType.F32,
        shape,
        channel -> {
          ByteBuffer zeros = ByteBuffer.allocate(1 << 20);
          for (long left = bytes; left > 0; left -= zeros.limit()) {
            zeros.clear().limit((int) Math.min(zeros.capacity(), left));
            channel.write(zeros);
            zeros.flip();
          }
        });
  }
}
