package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.torchscript.TorchScriptArchive;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Needs 5 GB of disk and of memory. */
@Tag("slow")
class LargeModuleTest {
  private static final String CODE =
      """
      class Large(Module):
        __parameters__ = []
        __buffers__ = []
        first : Tensor
        second : Tensor
        last : Tensor
        def forward(self: __torch__.large.Large, x: Tensor) -> Tensor:
          ends = torch.add(torch.to(torch.select(self.first, 0, -1), 6), torch.to(torch.select(self.second, 0, -1), 6))
          return torch.add(torch.add(x, self.last), ends)
      """;

  @TempDir Path folder;

  /** Zeros with a 3 at the end. */
  private static TensorSource zeros(long length) {
    return TensorSource.of(
        DType.I8,
        new long[] {length},
        channel -> {
          ByteBuffer chunk = ByteBuffer.allocate(1 << 20);
          for (long left = length; left > 1; left -= chunk.limit()) {
            channel.write(chunk.clear().limit((int) Math.min(left - 1, chunk.capacity())));
          }
          channel.write(ByteBuffer.wrap(new byte[] {3}));
        });
  }

  @Test
  void forward_archiveBeyondFourGigabytes_readsEveryTensor() throws IOException {
    Path file = folder.resolve("large.pt");
    ScriptModule root =
        ScriptModule.builder("__torch__.large.Large")
            .tensor("first", zeros(2_300_000_000L))
            .tensor("second", zeros(2_300_000_000L))
            .tensor("last", HeapTensor.of(DType.F32, new float[] {10, 20}, 2))
            .build();
    TorchScriptArchive.write(file, "large", root, Map.of("large", CODE), bytes -> {});
    try (LoadedModule module = LoadedModule.load("large module", file, Device.cpu());
        NDManager manager = NDManager.newBaseManager(Device.cpu());
        NDArray x = manager.create(new float[] {1, 2})) {
      assertThat(module.forward(x).get(0).toFloatArray()).containsExactly(17, 28);
    }
  }
}
