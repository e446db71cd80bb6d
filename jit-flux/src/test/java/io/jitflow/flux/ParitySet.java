package io.jitflow.flux;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * One folder of recorded inputs and results; {@code src-test-fixtures/parity/README.md} describes
 * the format.
 *
 * @param folder the folder with {@code case.json}
 * @param description its content
 */
public record ParitySet(Path folder, JsonObject description) {

  /**
   * The sets of a kind ({@code "kind"} in {@code case.json}), or of a name where there is no kind:
   * those of this project and those in the folders named by the system property {@code
   * jit.parity}.
   */
  public static List<ParitySet> ofKind(String kind) throws IOException {
    List<ParitySet> sets = new ArrayList<>();
    for (Path root : roots()) {
      try (Stream<Path> folders = Files.walk(root, 1)) {
        for (Path folder : folders.sorted().toList()) {
          Path file = folder.resolve("case.json");
          if (Files.isRegularFile(file)) {
            JsonObject description =
                JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            JsonElement found =
                description.has("kind") ? description.get("kind") : description.get("set");
            if (found != null && found.getAsString().equals(kind)) {
              sets.add(new ParitySet(folder, description));
            }
          }
        }
      }
    }
    return sets;
  }

  private static List<Path> roots() {
    List<Path> roots = new ArrayList<>();
    roots.add(Path.of(System.getProperty("jit.fixtures"), "parity"));
    for (String root : System.getProperty("jit.parity", "").split(File.pathSeparator, -1)) {
      if (!root.isBlank()) {
        roots.add(Path.of(root));
      }
    }
    return roots;
  }

  /** Where the set stands, for test names: sets of the same name may stand in several roots. */
  public String title() {
    return folder.getParent().getFileName() + "/" + folder.getFileName();
  }

  /** A file of the set. */
  public Path file(String name) {
    return folder.resolve(name);
  }

  /** The array {@code name} of {@code case.json} as objects. */
  public static List<JsonObject> objects(JsonObject parent, String name) {
    return StreamSupport.stream(parent.getAsJsonArray(name).spliterator(), false)
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  /** The tolerance of an arithmetic, {@code float32} or {@code bfloat16}. */
  public Tolerance tolerance(String arithmetic) {
    JsonObject tolerance = description.getAsJsonObject("tolerance").getAsJsonObject(arithmetic);
    return new Tolerance(
        tolerance.get("atol").getAsDouble(), tolerance.get("rtol").getAsDouble());
  }

  /**
   * {@code |found - expected| <= atol + rtol * |expected|} for every element.
   *
   * @param atol absolute part
   * @param rtol relative part
   */
  public record Tolerance(double atol, double rtol) {}
}
