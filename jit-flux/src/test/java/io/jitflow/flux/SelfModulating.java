package io.jitflow.flux;

import io.jitflow.flux.network.HeapTensor;
import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TorchScriptArchive;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A transformer made elsewhere, which takes noise level, guidance and pooled prompt. */
final class SelfModulating {
  private SelfModulating() {}

  static void write(Path file) throws IOException {
    String code =
        """
        class Foreign(Module):
          __parameters__ = []
          __buffers__ = []
          gain : Tensor
          def forward(self: __torch__.elsewhere.Foreign, img: Tensor, img_ids: Tensor, txt: Tensor, txt_ids: Tensor, vec: Tensor, timestep: Tensor, guidance: Tensor) -> Tensor:
            pooled = torch.reshape(torch.mean(vec, [1]), [-1, 1, 1])
            return torch.add(torch.mul(torch.mul(img, torch.reshape(timestep, [-1, 1, 1])), self.gain), pooled)
        """;
    ScriptModule root =
        ScriptModule.builder("__torch__.elsewhere.Foreign")
            .tensor("gain", HeapTensor.of(DType.F32, new float[] {0.5f}, 1))
            .build();
    TorchScriptArchive.write(file, "foreign", root, Map.of("elsewhere", code), bytes -> {});
  }
}
