package io.jitflow.examples.house;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.Sampler;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.mini.FluxMini;
import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The Java of the README and of the documents compiles. */
class ReadmeTest {
  /** Its Java is that of frameworks that are not here, and leaves out what readers know better. */
  private static final Set<String> LEFT_OUT = Set.of("applications.md");

  private static final Pattern BLOCK = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);

  /** What the sentences say around the code. */
  private static final String SURROUNDINGS =
      """
      import ai.djl.ndarray.*;
      import io.jitflow.core.*;
      import io.jitflow.core.jit.*;
      import io.jitflow.core.token.*;
      import io.jitflow.flux.*;
      import io.jitflow.flux.convert.*;
      import io.jitflow.flux.image.*;
      import io.jitflow.flux.mini.*;
      import io.jitflow.flux.weights.*;
      import java.io.*;
      import java.nio.file.*;
      import java.util.*;

      abstract class Snippet {
        Path bundle = Path.of("bundle");
        Sampler sampler = JitSampler.forSpeedup(7);

        abstract NDArray myTransformer(NDArray tokens, NDArray positions, double sigma);

      %s
      }
      """;

  private static final String METHOD =
      """
        void run() throws Exception {
      %s
        }
      """;

  @TempDir Path classes;

  @TestFactory
  List<DynamicTest> documents_everyJavaBlock_compiles() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path document : documents()) {
      String text = Files.readString(document);
      for (String block : BLOCK.matcher(text).results().map(r -> r.group(1)).toList()) {
        String firstLine = block.lines().findFirst().orElseThrow().strip();
        tests.add(
            DynamicTest.dynamicTest(
                document.getFileName() + ": " + firstLine, () -> assertCompiles(block)));
      }
    }
    assertThat(tests).hasSizeGreaterThanOrEqualTo(5);
    return tests;
  }

  private static List<Path> documents() throws IOException {
    List<Path> documents = new ArrayList<>();
    documents.add(Repository.file("README.md"));
    try (Stream<Path> files = Files.list(Repository.file("docs"))) {
      files
          .filter(file -> file.toString().endsWith(".md"))
          .filter(file -> !LEFT_OUT.contains(file.getFileName().toString()))
          .sorted()
          .forEach(documents::add);
    }
    return documents;
  }

  /** A block is a whole method, or what stands in one. */
  private static String inClass(String block) {
    return SURROUNDINGS.formatted(
        block.startsWith("public static") ? block : METHOD.formatted(block));
  }

  private void assertCompiles(String block) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter problems = new StringWriter();
    List<String> options = List.of("-proc:none", "-d", classes.toString(), "-cp", classPath());
    boolean compiles =
        compiler
            .getTask(problems, null, null, options, null, List.of(source(inClass(block))))
            .call();
    assertThat(compiles).as("%s%n%s", block, problems).isTrue();
  }

  /** Where the snippets' types come from; how the tests were started does not matter. */
  private static String classPath() {
    return Stream.of(NDArray.class, Sampler.class, FluxPipeline.class, FluxMini.class)
        .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
        .map(location -> Path.of(URI.create(location.toString())).toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static JavaFileObject source(String text) {
    return new SimpleJavaFileObject(
        URI.create("string:///Snippet.java"), JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return text;
      }
    };
  }
}
