package io.jitflow.core.testing;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
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
   * A folder without any is an error: nothing would be compared, and nobody would notice.
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
        List<Path> below =
            found.filter(file -> file.endsWith("case.json")).map(Path::getParent).sorted().toList();
        if (below.isEmpty()) {
          throw new IllegalArgumentException(
              root + ": expected folders with a case.json, found none");
        }
        cases.addAll(below);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return cases;
  }

  /** What a recording is of: its {@code kind}, or the name of its {@code set}. */
  public static String kind(JsonObject description) {
    JsonElement kind = description.has("kind") ? description.get("kind") : description.get("set");
    return kind == null ? "" : kind.getAsString();
  }

  /** The objects of a recorded list; an empty one is an error, as it would test nothing. */
  public static List<JsonObject> objects(JsonElement list) {
    List<JsonObject> objects = new ArrayList<>();
    list.getAsJsonArray().forEach(object -> objects.add(object.getAsJsonObject()));
    if (objects.isEmpty()) {
      throw new IllegalArgumentException("expected a list of recordings, found an empty one");
    }
    return objects;
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
