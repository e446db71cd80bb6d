package io.jitflow.flux.program;

import io.jitflow.flux.torchscript.ScriptModule;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiFunction;

/** Gives every class of a program a further method, which is made from what the class holds. */
final class ClassMethods {
  private static final String CLASS_PREFIX = "class ";

  private ClassMethods() {}

  /**
   * The code with the methods.
   *
   * @param root the tree that the code belongs to: it says what each class holds
   * @param codeFiles code by module name
   * @param method from the qualified name of a class and a module of it to the method's code
   */
  static Map<String, String> addTo(
      ScriptModule root,
      Map<String, String> codeFiles,
      BiFunction<String, ScriptModule, String> method) {
    Map<String, ScriptModule> classes = new LinkedHashMap<>();
    collect(root, classes);
    Map<String, String> extended = new LinkedHashMap<>();
    codeFiles.forEach((file, code) -> extended.put(file, addTo(file, code, classes, method)));
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
  private static String addTo(
      String file,
      String code,
      Map<String, ScriptModule> classes,
      BiFunction<String, ScriptModule, String> method) {
    StringBuilder out = new StringBuilder();
    StringBuilder blank = new StringBuilder();
    String open = null;
    for (String line : (Iterable<String>) code.lines()::iterator) {
      if (line.isBlank()) {
        blank.append('\n');
        continue;
      }
      if (open != null && !Character.isWhitespace(line.charAt(0))) {
        out.append(method.apply(open, classes.get(open)));
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
      out.append(method.apply(open, classes.get(open)));
    }
    return out.append(blank).toString();
  }
}
