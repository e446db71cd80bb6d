package io.jitflow.flux.program;

import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.weights.TensorSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Gives every class of a program the method {@code to_float32}, which makes float32 of its own
 * tensors and asks its children to do the same.
 *
 * <p>A loaded module is converted in place by calling the method of its root, one tensor after the
 * other, so that both types of a whole network are never in memory. Integer tensors stay.
 */
final class InPlaceFloat32 {
  static final String METHOD = "to_float32";

  private static final String CLASS_PREFIX = "class ";
  private static final int FLOAT32 = 6; // TorchScript writes types as numbers

  private InPlaceFloat32() {}

  /**
   * The code with the methods.
   *
   * @param root the tree that the code belongs to: it says what each class holds
   * @param codeFiles code by module name
   */
  static Map<String, String> addTo(ScriptModule root, Map<String, String> codeFiles) {
    Map<String, ScriptModule> classes = new LinkedHashMap<>();
    collect(root, classes);
    Map<String, String> extended = new LinkedHashMap<>();
    codeFiles.forEach((file, code) -> extended.put(file, addTo(file, code, classes)));
    return extended;
  }

  private static void collect(ScriptModule module, Map<String, ScriptModule> classes) {
    classes.putIfAbsent(module.className(), module);
    for (Object value : module.attributes().values()) {
      if (value instanceof ScriptModule child) {
        collect(child, classes);
      }
    }
  }

  /** Appends to each class: its end is the last indented line before the next top-level one. */
  private static String addTo(String file, String code, Map<String, ScriptModule> classes) {
    StringBuilder out = new StringBuilder();
    StringBuilder blank = new StringBuilder();
    @Nullable String open = null;
    for (String line : (Iterable<String>) code.lines()::iterator) {
      if (line.isBlank()) {
        blank.append('\n');
        continue;
      }
      if (open != null && !Character.isWhitespace(line.charAt(0))) {
        out.append(method(open, Objects.requireNonNull(classes.get(open))));
        open = null;
      }
      out.append(blank).append(line).append('\n');
      blank.setLength(0);
      if (line.startsWith(CLASS_PREFIX)) {
        String name = line.substring(CLASS_PREFIX.length(), line.indexOf('('));
        String qualified = "__torch__." + file + "." + name;
        open = classes.containsKey(qualified) ? qualified : null; // unused classes stay as they are
      }
    }
    if (open != null) {
      out.append(method(open, Objects.requireNonNull(classes.get(open))));
    }
    return out.append(blank).toString();
  }

  private static String method(String className, ScriptModule module) {
    StringBuilder out = new StringBuilder();
    out.append("  def %s(self: %s) -> NoneType:\n".formatted(METHOD, className));
    module
        .attributes()
        .forEach(
            (name, value) -> {
              if (value instanceof TensorSource) {
                out.append("    if torch.is_floating_point(self.%s):\n".formatted(name));
                out.append(
                    "      self.%s = torch.to(self.%s, %d)\n".formatted(name, name, FLOAT32));
                out.append("    else:\n      pass\n".formatted());
              } else if (value instanceof ScriptModule) {
                out.append("    _0 = (getattr(self, \"%s\")).%s()\n".formatted(name, METHOD));
              }
            });
    return out.append("    return None\n".formatted()).toString();
  }
}
