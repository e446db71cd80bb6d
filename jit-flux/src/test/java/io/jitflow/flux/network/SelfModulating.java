package io.jitflow.flux.network;

import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TorchScriptArchive;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A transformer made elsewhere, which takes noise level, guidance and pooled prompt. */
public final class SelfModulating {
  private SelfModulating() {}

  /**
   * Writes the module.
   *
   * @param gain the value of {@code self.gain}
   * @param returned what it computes of {@code img}, {@code txt}, {@code self.gain} and, for each
   *     sample, {@code sigma}, {@code scale} and {@code pooled}
   */
  public static void write(Path file, float gain, String returned) throws IOException {
    String code =
        """
        class Foreign(Module):
          __parameters__ = []
          __buffers__ = []
          gain : Tensor
          def forward(self: __torch__.elsewhere.Foreign, img: Tensor, img_ids: Tensor, txt: Tensor, txt_ids: Tensor, vec: Tensor, timestep: Tensor, guidance: Tensor) -> Tensor:
            sigma = torch.reshape(timestep, [-1, 1, 1])
            scale = torch.reshape(guidance, [-1, 1, 1])
            pooled = torch.reshape(torch.mean(vec, [1]), [-1, 1, 1])
            return RETURNED
        """
            .replace("RETURNED", returned);
    ScriptModule root =
        ScriptModule.builder("__torch__.elsewhere.Foreign")
            .tensor("gain", HeapTensor.of(DType.F32, new float[] {gain}, 1))
            .build();
    TorchScriptArchive.write(file, "foreign", root, Map.of("elsewhere", code), bytes -> {});
  }
}
