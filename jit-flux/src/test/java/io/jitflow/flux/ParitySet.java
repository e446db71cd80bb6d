package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import com.google.gson.JsonObject;
import io.jitflow.core.testing.Arrays32;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.core.testing.Npz;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/**
 * One folder of recorded inputs and results; {@code src-test-fixtures/parity/README.md} describes
 * the format.
 *
 * @param folder the folder with {@code case.json}
 * @param description its content
 */
public record ParitySet(Path folder, JsonObject description) {

  /**
   * The sets of a kind: those of this project and those in the folders named by the system property
   * {@code jit.parity}. Sets without {@code "kind"} have their name's.
   */
  public static Stream<ParitySet> ofKind(String kind) {
    return all().filter(set -> set.kind().equals(kind));
  }

  /** All sets, of whatever kind. */
  static Stream<ParitySet> all() {
    return Fixtures.cases("parity", "jit.parity").stream().map(ParitySet::of);
  }

  /** The set in a folder. */
  static ParitySet of(Path folder) {
    return new ParitySet(folder, Fixtures.json(folder.resolve("case.json")).getAsJsonObject());
  }

  /** The kind; sets without one have their name's. */
  String kind() {
    return Fixtures.kind(description);
  }

  /** Where the set stands, for test names: sets of one name may stand in several folders. */
  public String title() {
    return folder.getParent().getFileName() + "/" + folder.getFileName();
  }

  /** A file of the set. */
  public Path file(String name) {
    return folder.resolve(name);
  }

  /** An array of objects in a description; an empty one is an error. */
  public static List<JsonObject> objects(JsonObject parent, String name) {
    return Fixtures.objects(parent.get(name));
  }

  /** What a recorded case is compared with. */
  interface Check {
    void of(JsonObject one, Npz recorded, NDManager manager) throws IOException;
  }

  /** A test of each case of the set, with the arrays that were recorded of it. */
  List<DynamicNode> cases(Check check) {
    List<DynamicNode> tests = new ArrayList<>();
    for (JsonObject one : objects(description, "cases")) {
      tests.add(
          DynamicTest.dynamicTest(
              title() + " " + one.get("name").getAsString(),
              () -> {
                try (NDManager manager = NDManager.newBaseManager()) {
                  check.of(one, Npz.read(manager, file(one.get("arrays").getAsString())), manager);
                }
              }));
    }
    return tests;
  }

  /** Compares with a recorded array, with the set's tolerance for an arithmetic. */
  public void assertMatches(String arithmetic, String what, NDArray found, Npz npz, String name) {
    assertMatches(arithmetic, what, found, npz, name, 0);
  }

  /** The same with an absolute tolerance that is wider by something. */
  public void assertMatches(
      String arithmetic, String what, NDArray found, Npz npz, String name, double allowance) {
    JsonObject tolerance = description.getAsJsonObject("tolerance").getAsJsonObject(arithmetic);
    Arrays32.assertClose(
        what + " " + name,
        found,
        npz.get(name),
        tolerance.get("atol").getAsDouble() + allowance,
        tolerance.get("rtol").getAsDouble());
  }
}
