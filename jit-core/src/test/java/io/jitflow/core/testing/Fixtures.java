package io.jitflow.core.testing;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Where recordings are: {@code src-test-fixtures}, and further folders by system property. */
public final class Fixtures {
  private Fixtures() {}

  /** Returns the folder {@code src-test-fixtures} or one below it. */
  public static Path folder(String name) {
    return Path.of(System.getProperty("jit.fixtures")).resolve(name);
  }

  /**
   * Returns the folders that hold a {@code case.json}: those below a fixture folder, then those
   * below (or equal to) the folders that a system property names, separated by the path separator.
   */
  public static List<Path> cases(String fixtureFolder, String property) {
    List<Path> roots = new ArrayList<>();
    roots.add(folder(fixtureFolder));
    for (String more : System.getProperty(property, "").split(File.pathSeparator, -1)) {
      if (!more.isBlank()) {
        roots.add(Path.of(more.strip()));
      }
    }
    List<Path> cases = new ArrayList<>();
    for (Path root : roots) {
      try (Stream<Path> found = Files.walk(root, 2)) {
        found
            .filter(file -> file.endsWith("case.json"))
            .map(Path::getParent)
            .sorted()
            .forEach(cases::add);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return cases;
  }

  /** Reads a JSON file. */
  public static JsonElement json(Path file) {
    try (Reader reader = Files.newBufferedReader(file)) {
      return JsonParser.parseReader(reader);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
