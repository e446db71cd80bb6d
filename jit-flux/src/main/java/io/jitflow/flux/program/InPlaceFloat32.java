package io.jitflow.flux.program;

import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TensorSource;
import java.util.Map;

/**
 * Gives every class of a program the method {@code to_float32}, which makes float32 of its own
 * tensors and asks its children to do the same, and {@code compute_in_float32}, which leaves
 * matrices as they are: layers widen them where they use them, so that whole networks computing in
 * float32 need not be in memory in float32.
 *
 * <p>A loaded module is converted in place by calling a method of its root, one tensor after the
 * other, so that both types of a whole network are never in memory. Integer tensors stay.
 */
final class InPlaceFloat32 {
  static final String METHOD = "to_float32";
  static final String BUT_MATRICES = "compute_in_float32";

  private static final String FLOAT32 = "6"; // TorchScript writes types as numbers

  private InPlaceFloat32() {}

  /**
   * The code with the methods.
   *
   * @param root the tree that the code belongs to: it says what each class holds
   * @param codeFiles code by module name
   */
  static Map<String, String> addTo(ScriptModule root, Map<String, String> codeFiles) {
    return ClassMethods.addTo(root, codeFiles, InPlaceFloat32::method);
  }

  private static String method(String className, ScriptModule module) {
    return method(METHOD, "torch.is_floating_point(self.%1$s)", className, module)
        + method(
            BUT_MATRICES,
            "torch.__and__(torch.is_floating_point(self.%1$s), torch.ne(torch.dim(self.%1$s), 2))",
            className,
            module);
  }

  private static String method(
      String method, String condition, String className, ScriptModule module) {
    StringBuilder out = new StringBuilder();
    out.append("  def %s(self: %s) -> NoneType:\n".formatted(method, className));
    module
        .attributes()
        .forEach(
            (name, value) -> {
              if (value instanceof TensorSource) {
                out.append("    if %s:\n".formatted(condition.formatted(name)));
                out.append("      narrow = self.%s\n".formatted(name));
                out.append("      self.%s = torch.to(narrow, %s)\n".formatted(name, FLOAT32));
                // the engine keeps the tensor until the module is closed: take its memory away
                out.append("      if torch.ne(narrow.dtype, %s):\n".formatted(FLOAT32));
                out.append("        _1 = torch.set_(narrow)\n      else:\n        pass\n");
                out.append("    else:\n      pass\n");
              } else if (value instanceof ScriptModule) {
                out.append("    _0 = (getattr(self, \"%s\")).%s()\n".formatted(name, method));
              }
            });
    return out.append("    return None\n").toString();
  }
}
