package io.jitflow.examples.house;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.core.Sampler;
import io.jitflow.flux.FluxPipeline;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.module.FindException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the modules show, and that they work on the module path. */
class ModulesTest {
  private static final int FEWER_TYPES_THAN = 45;

  /** {@code | `core.Sampler` | why it is public |}. */
  private static final Pattern ROW = Pattern.compile("\\| `([a-z.]+\\.[A-Z]\\w*)` \\|[^|]+\\|");

  @TempDir Path folder;

  private static Path place(Class<?> type) {
    return Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()));
  }

  /** Top-level types that a user of the modules can name. */
  private static Set<String> exportedTypes() throws IOException {
    Set<String> types = new TreeSet<>();
    for (Class<?> inside : List.of(Sampler.class, FluxPipeline.class)) {
      var module = ModuleFinder.of(place(inside)).findAll().iterator().next();
      var exported =
          module.descriptor().exports().stream()
              .filter(export -> !export.isQualified())
              .map(ModuleDescriptor.Exports::source)
              .collect(Collectors.toSet());
      try (ModuleReader reader = module.open();
          Stream<String> names = reader.list()) {
        for (String name : (Iterable<String>) names::iterator) {
          if (name.endsWith(".class") && !name.contains("$") && name.contains("/")) {
            String type = name.substring(0, name.length() - 6).replace('/', '.');
            String room = type.substring(0, type.lastIndexOf('.'));
            if (exported.contains(room) && isPublic(type)) {
              types.add(type.substring("io.jitflow.".length()));
            }
          }
        }
      }
    }
    return types;
  }

  private static boolean isPublic(String type) {
    try {
      return !type.endsWith("package-info")
          && Modifier.isPublic(
              Class.forName(type, false, ModulesTest.class.getClassLoader()).getModifiers());
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void exportedTypes_areThoseOfTheDocument() throws IOException {
    Map<String, String> documented = new TreeMap<>();
    for (String line : Files.readAllLines(Repository.file("docs/architecture.md"))) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        documented.put(row.group(1), line);
      }
    }
    assertThat(exportedTypes())
        .as("public types, each of which docs/architecture.md gives a reason for")
        .isEqualTo(documented.keySet())
        .hasSizeLessThan(FEWER_TYPES_THAN);
  }

  /**
   * What of the class path can be modules; the rest, libtorch, has names that no module may have.
   */
  private static Map<Boolean, List<String>> classPath() {
    String all =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return Arrays.stream(all.split(Pattern.quote(File.pathSeparator)))
        .collect(Collectors.partitioningBy(entry -> isModule(Path.of(entry))));
  }

  private static boolean isModule(Path entry) {
    if (entry.toString().endsWith("tests.jar")) {
      return false; // holds packages of the module that it tests
    }
    try {
      return !ModuleFinder.of(entry).findAll().isEmpty();
    } catch (FindException e) {
      return false;
    }
  }

  private static String path(List<String> entries) {
    return String.join(File.pathSeparator, entries);
  }

  private String compile(String main) throws IOException {
    Path sources = Files.createDirectories(folder.resolve("src/consumer"));
    Files.writeString(
        sources.resolveSibling("module-info.java"),
        "module consumer { requires io.jitflow.flux; requires io.jitflow.flux.mini; }");
    Files.writeString(sources.resolve("Main.java"), main);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter problems = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      compiler
          .getTask(
              problems,
              files,
              null,
              List.of(
                  "-proc:none",
                  "-d",
                  folder.resolve("consumer").toString(),
                  "--module-path",
                  path(classPath().get(true))),
              null,
              files.getJavaFileObjects(
                  sources.resolveSibling("module-info.java"), sources.resolve("Main.java")))
          .call();
    }
    return problems.toString();
  }

  @Test
  void hiddenRoom_onTheModulePath_isNotVisible() throws IOException {
    assertThat(
            compile(
                """
                package consumer;

                import io.jitflow.core.check.Checks;
                import io.jitflow.flux.bundle.FluxBundle;

                class Main {}
                """))
        .contains("package io.jitflow.flux.bundle is not visible")
        .contains("package io.jitflow.core.check is not visible");
  }

  @Test
  @Timeout(value = 3, unit = TimeUnit.MINUTES)
  void program_onTheModulePath_draws() throws Exception {
    assertThat(
            compile(
                """
                package consumer;

                import io.jitflow.core.jit.JitSampler;
                import io.jitflow.flux.FluxPipeline;
                import io.jitflow.flux.image.ImageRequest;
                import io.jitflow.flux.mini.FluxMini;
                import java.nio.file.Path;

                class Main {
                  public static void main(String[] args) throws Exception {
                    try (FluxPipeline flux = FluxPipeline.load(FluxMini.bundle(Path.of(args[0])))) {
                      ImageRequest request =
                          ImageRequest.of("red apple")
                              .withSize(128, 128)
                              .withSeed(1)
                              .withSampler(JitSampler.preset7x());
                      int width = flux.generate(request).bufferedImage(0).getWidth();
                      System.out.println(FluxPipeline.class.getModule() + " drew " + width + " px");
                    }
                  }
                }
                """))
        .isEmpty();
    Map<Boolean, List<String>> classPath = classPath();
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx512m");
    command.add("-Dai.djl.offline=true");
    command.add("-Djava.io.tmpdir=" + folder);
    command.add("-cp");
    command.add(path(classPath.get(false)));
    command.add("--module-path");
    command.add(path(classPath.get(true)) + File.pathSeparator + folder.resolve("consumer"));
    command.add("-m");
    command.add("consumer/consumer.Main");
    command.add(folder.resolve("bundle").toString());
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(150, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    assertThat(Files.readString(output, StandardCharsets.UTF_8))
        .contains("module io.jitflow.flux drew 128 px");
  }
}
