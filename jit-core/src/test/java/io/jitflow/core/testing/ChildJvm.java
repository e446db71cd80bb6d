package io.jitflow.core.testing;

import java.io.File;
import java.net.URI;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Starting a test's own classes in a process of their own, because what is tried may end it. */
public final class ChildJvm {
  private ChildJvm() {}

  /**
   * The command line.
   *
   * @param program a class with a main method
   * @param options of the Java machine
   * @param arguments of the program
   */
  public static List<String> command(
      Class<?> program, List<String> options, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(
        List.of(
            "-Dai.djl.offline=true",
            "-DRUST_FLAVOR=cpu",
            "-Dai.djl.pytorch.num_threads=1",
            "-Dai.djl.pytorch.num_interop_threads=1",
            "-cp",
            classPath(program),
            program.getName()));
    command.addAll(arguments);
    return command;
  }

  /** That of the tests, however they were started. */
  private static String classPath(Class<?> program) {
    if (program.getClassLoader() instanceof URLClassLoader loader) {
      return Arrays.stream(loader.getURLs())
          .map(url -> Path.of(URI.create(url.toString())).toString())
          .collect(Collectors.joining(File.pathSeparator));
    }
    return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
  }
}
