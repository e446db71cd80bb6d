package io.jitflow.flux.program;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text of a program resource, fitted to the depth of a network.
 *
 * <p>TorchScript has no loop over numbered children, so a line that ends in {@code # for each NAME}
 * is repeated for every entry of the list NAME with its {@code {variables}} filled in ({@code {i}}
 * is the position), and a line that ends in {@code # if NAME} is kept only if that option is set. A
 * {@code {variable}} of the whole text is filled in everywhere.
 */
final class ProgramText {
  private static final Pattern DIRECTIVE = Pattern.compile("(.*?)\\s+# (for each|if) (\\w+)");

  private final String resource;
  private final Map<String, List<Map<String, String>>> lists = new LinkedHashMap<>();
  private final Map<String, Boolean> options = new LinkedHashMap<>();
  private final Map<String, String> variables = new LinkedHashMap<>();

  ProgramText(String resource) {
    this.resource = resource;
  }

  /** A list of so many entries without further variables. */
  ProgramText repeat(String name, int count) {
    List<Map<String, String>> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      entries.add(Map.of());
    }
    return repeat(name, entries);
  }

  ProgramText repeat(String name, List<Map<String, String>> entries) {
    lists.put(name, entries);
    return this;
  }

  ProgramText option(String name, boolean set) {
    options.put(name, set);
    return this;
  }

  ProgramText variable(String name, String value) {
    variables.put("{" + name + "}", value);
    return this;
  }

  String render() {
    StringBuilder out = new StringBuilder();
    for (String line : (Iterable<String>) read(resource).lines()::iterator) {
      Matcher directive = DIRECTIVE.matcher(line);
      if (!directive.matches()) {
        out.append(line).append('\n');
      } else if (directive.group(2).equals("if")) {
        if (lookUp(options, directive.group(3))) {
          out.append(directive.group(1)).append('\n');
        }
      } else {
        List<Map<String, String>> entries = lookUp(lists, directive.group(3));
        for (int i = 0; i < entries.size(); i++) {
          String text = directive.group(1).replace("{i}", Integer.toString(i));
          for (Map.Entry<String, String> variable : entries.get(i).entrySet()) {
            text = text.replace("{" + variable.getKey() + "}", variable.getValue());
          }
          out.append(text).append('\n');
        }
      }
    }
    String text = out.toString();
    for (Map.Entry<String, String> variable : variables.entrySet()) {
      text = text.replace(variable.getKey(), variable.getValue());
    }
    return text;
  }

  private <T> T lookUp(Map<String, T> values, String name) {
    T value = values.get(name);
    if (value == null) {
      throw new IllegalStateException(
          resource + " asks for " + name + ", known: " + values.keySet());
    }
    return value;
  }

  private static String read(String resource) {
    try (InputStream in = ProgramText.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("resource " + resource + " is missing from the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
