package io.jitflow.flux.program;

import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TensorSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Turns dotted tensor names into a tree of modules: every prefix of a name is a module, whose class
 * is found by the first rule that matches its path.
 */
final class ModuleTree {
  private record Rule(Pattern path, String className) {}

  private record Constant(Pattern path, String name, Object value) {}

  private final String file;
  private final List<Rule> rules = new ArrayList<>();
  private final List<Constant> constants = new ArrayList<>();
  private final Map<String, String> moved = new LinkedHashMap<>();

  /**
   * Starts a tree.
   *
   * @param file code file of classes that are named without one
   * @param root class of the root
   */
  ModuleTree(String file, String root) {
    this.file = file;
    rule("", root);
  }

  /** Modules whose path matches the pattern as a whole are of this class ({@code file.Class}). */
  ModuleTree rule(String pathPattern, String className) {
    String qualified = className.contains(".") ? className : file + "." + className;
    rules.add(new Rule(Pattern.compile(pathPattern), "__torch__." + qualified));
    return this;
  }

  /** Modules whose path matches have this attribute: a Long, Double, Boolean or String. */
  ModuleTree constant(String pathPattern, String name, Object value) {
    constants.add(new Constant(Pattern.compile(pathPattern), name, value));
    return this;
  }

  /** The tensor of this name stands at another place in the tree. */
  ModuleTree move(String tensor, String path) {
    moved.put(tensor, path);
    return this;
  }

  /** Where a tensor stands in the tree. */
  String path(String tensor) {
    return moved.getOrDefault(tensor, tensor);
  }

  /** The class of the root. */
  String rootClass() {
    return rules.get(0).className();
  }

  ScriptModule build(Map<String, TensorSource> tensors) {
    Node root = new Node();
    tensors.forEach((name, tensor) -> root.put(path(name), tensor));
    return module("", root);
  }

  private ScriptModule module(String path, Node node) {
    String className =
        rules.stream()
            .filter(rule -> rule.path().matcher(path).matches())
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("no class for module " + path))
            .className();
    ScriptModule.Builder builder = ScriptModule.builder(className);
    node.tensors.forEach(builder::tensor);
    for (Constant constant : constants) {
      if (constant.path().matcher(path).matches()) {
        add(builder, constant);
      }
    }
    node.children.forEach(
        (name, child) ->
            builder.child(name, module(path.isEmpty() ? name : path + "." + name, child)));
    return builder.build();
  }

  private static void add(ScriptModule.Builder builder, Constant constant) {
    if (constant.value() instanceof Long value) {
      builder.integer(constant.name(), value);
    } else if (constant.value() instanceof Double value) {
      builder.number(constant.name(), value);
    } else if (constant.value() instanceof Boolean value) {
      builder.flag(constant.name(), value);
    } else {
      builder.text(constant.name(), (String) constant.value());
    }
  }

  private static final class Node {
    final Map<String, TensorSource> tensors = new LinkedHashMap<>();
    final Map<String, Node> children = new LinkedHashMap<>();

    void put(String path, TensorSource tensor) {
      int dot = path.indexOf('.');
      if (dot < 0) {
        tensors.put(path, tensor);
      } else {
        children
            .computeIfAbsent(path.substring(0, dot), key -> new Node())
            .put(path.substring(dot + 1), tensor);
      }
    }
  }
}
