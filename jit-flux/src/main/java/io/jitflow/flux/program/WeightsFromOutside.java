package io.jitflow.flux.program;

import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TensorSource;

/**
 * Methods of a module that was written without its weights: {@code bind} takes them, in the order
 * of the archive, as bytes; {@code randomise} makes some, on the device of a tensor.
 */
final class WeightsFromOutside {
  private WeightsFromOutside() {}

  static String methods(String className, ScriptModule module) {
    StringBuilder bind = new StringBuilder();
    StringBuilder randomise = new StringBuilder();
    bind.append("  def bind(self: %s, tensors: List[Tensor]) -> NoneType:\n".formatted(className));
    randomise.append("  def randomise(self: %s, like: Tensor) -> NoneType:\n".formatted(className));
    module
        .attributes()
        .forEach(
            (name, value) -> {
              if (value instanceof TensorSource) {
                bind.append(
                    """
                        typed = torch.empty([0], dtype=self.NAME.dtype)
                        typed = torch.set_(typed, torch.pop(tensors, 0), 0, [torch.numel(self.NAME)], [1])
                        self.NAME = torch.view_as(typed, self.NAME)
                    """
                        .replace("NAME", name));
                randomise.append(
                    """
                        dtype = self.NAME.dtype
                        if torch.is_floating_point(self.NAME):
                          noise = torch.rand(torch.size(self.NAME), dtype=dtype, device=like.device)
                          noise = torch.mul_(torch.sub_(noise, 0.5), 0.05)
                        else:
                          noise = torch.randint(-127, 128, torch.size(self.NAME), dtype=dtype, device=like.device)
                        self.NAME = noise
                    """
                        .replace("NAME", name));
              } else if (value instanceof ScriptModule) {
                bind.append("    _0 = (getattr(self, \"%s\")).bind(tensors, )\n".formatted(name));
                randomise.append(
                    "    _0 = (getattr(self, \"%s\")).randomise(like, )\n".formatted(name));
              }
            });
    return bind.append("    return None\n")
        .append(randomise)
        .append("    return None\n")
        .toString();
  }
}
