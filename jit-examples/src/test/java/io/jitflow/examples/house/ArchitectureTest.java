package io.jitflow.examples.house;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The rules that {@code docs/architecture.md} states, and its table of rooms. */
class ArchitectureTest {
  private static final String ROOT = "io.jitflow.";

  /** {@code | `flux.image` | what it is for | `core`, `flux.json` |}. */
  private static final Pattern ROW =
      Pattern.compile("\\| `((?:core|flux|examples)[a-z.]*)` \\|[^|]*\\|([^|]*)\\|");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(location -> !location.contains("/test-classes/"))
          .withImportOption(location -> !location.contains("-tests.jar"))
          .importPackages("io.jitflow.core", "io.jitflow.flux", "io.jitflow.examples");

  @Test
  void rooms_importWhatTheDocumentSays() throws IOException {
    Map<String, Set<String>> real = new TreeMap<>();
    for (JavaClass type : CLASSES) {
      Set<String> imported = real.computeIfAbsent(room(type), name -> new TreeSet<>());
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        if (target.getPackageName().startsWith(ROOT) && !room(target).equals(room(type))) {
          imported.add(room(target));
        }
      }
    }
    Map<String, Set<String>> documented = documented();
    assertThat(documented.keySet()).as("rooms in the document").isEqualTo(real.keySet());
    real.forEach(
        (room, imported) -> {
          imported.removeIf(target -> documented.get(room).stream().anyMatch(covers(target)));
          assertThat(imported).as("imports of %s that its row does not allow", room).isEmpty();
        });
  }

  /** {@code flux.*} allows flux and all its rooms. */
  private static Predicate<String> covers(String target) {
    return allowed ->
        allowed.endsWith(".*")
            ? (target + ".").startsWith(allowed.substring(0, allowed.length() - 1))
            : allowed.equals(target);
  }

  private static String room(JavaClass type) {
    return type.getPackageName().substring(ROOT.length());
  }

  private static Map<String, Set<String>> documented() throws IOException {
    Map<String, Set<String>> rooms = new TreeMap<>();
    for (String line : Files.readAllLines(Repository.file("docs/architecture.md"))) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        Set<String> imported = rooms.computeIfAbsent(row.group(1), name -> new TreeSet<>());
        for (String name : row.group(2).replace("`", "").split(",", -1)) {
          if (!name.isBlank()) {
            imported.add(name.strip());
          }
        }
      }
    }
    return rooms;
  }

  @Test
  void rooms_haveNoCycle() {
    slices().matching(ROOT + "(**)").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void modules_pointOneWay() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + "core..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(ROOT + "flux..", ROOT + "examples..", "ai.djl.pytorch..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage(ROOT + "flux..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(ROOT + "examples..")
        .check(CLASSES);
  }

  @Test
  void plainRooms_importNoArrays() {
    noClasses()
        .that()
        .resideInAnyPackage(
            ROOT + "core.token..",
            ROOT + "flux.tokenizer..",
            ROOT + "flux.json..",
            ROOT + "flux.file..",
            ROOT + "flux.weights..",
            ROOT + "flux.safetensors..",
            ROOT + "flux.torchscript..",
            ROOT + "flux.bundle..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("ai.djl.ndarray..")
        .check(CLASSES);
  }

  @Test
  void json_isReadInOneRoom() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "flux.json..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.google.gson.stream..")
        .orShould()
        .dependOnClassesThat()
        .haveFullyQualifiedName("com.google.gson.JsonParser")
        .orShould()
        .callMethodWhere(describe("it parses", call -> call.getName().equals("fromJson")))
        .check(CLASSES);
  }

  @Test
  void libraries_neitherPrintNorExit() {
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "examples..")
        .should(ACCESS_STANDARD_STREAMS)
        .check(CLASSES);
    noClasses()
        .that()
        .resideOutsideOfPackage(ROOT + "examples..")
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class)
        .check(CLASSES);
  }
}
