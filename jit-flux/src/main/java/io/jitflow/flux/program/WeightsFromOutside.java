package io.jitflow.flux.program;

import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TensorSource;

/**
 * Methods of a module that was written without its weights: {@code map} takes them from a file,
 * given where each begins, in the order of the archive; {@code randomise} makes some, on the device
 * of a tensor.
 */
final class WeightsFromOutside {
  private static final String UINT8 = "0"; // TorchScript writes types as numbers

  private WeightsFromOutside() {}

  static String methods(String className, ScriptModule module) {
    StringBuilder bind = new StringBuilder();
    StringBuilder randomise = new StringBuilder();
    bind.append(
        "  def map(self: %s, file: str, size: int, offsets: List[int]) -> NoneType:\n"
            .formatted(className));
    bind.append("    bytes = torch.from_file(file, False, size, dtype=%s)\n".formatted(UINT8));
    bind.append("    return (self).bind(bytes, offsets, )\n");
    bind.append(
        "  def bind(self: %s, file: Tensor, offsets: List[int]) -> NoneType:\n"
            .formatted(className));
    randomise.append("  def randomise(self: %s, like: Tensor) -> NoneType:\n".formatted(className));
    module
        .attributes()
        .forEach(
            (name, value) -> {
              if (value instanceof TensorSource) {
                bind.append(
                    """
                        begin = torch.pop(offsets, 0) // torch.element_size(self.NAME)
                        typed = torch.empty([0], dtype=self.NAME.dtype)
                        typed = torch.set_(typed, file, begin, [torch.numel(self.NAME)], [1])
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
                bind.append(
                    "    _0 = (getattr(self, \"%s\")).bind(file, offsets, )\n".formatted(name));
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
