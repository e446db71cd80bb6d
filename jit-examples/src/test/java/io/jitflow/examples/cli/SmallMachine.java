package io.jitflow.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The program in a process that may take little more memory than it has: everything that is loaded
 * once has been loaded, by a first command, so what does not fit is the network of the second.
 */
final class SmallMachine {
  private static final String SECOND = "--";

  private SmallMachine() {}

  /** Megabytes that are left, the first command, {@code --}, the second command. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    int second = Arrays.asList(arguments).indexOf(SECOND);
    String[] first = Arrays.copyOfRange(arguments, 1, second);
    int exitCode = Main.run(Main.commandLine(new Interrupt()), first);
    if (exitCode != 0) {
      throw new IllegalStateException("the first command failed");
    }
    long limit = addressSpace() + (Long.parseLong(arguments[0]) << 20);
    int limited =
        new ProcessBuilder(
                "prlimit", "--pid", Long.toString(ProcessHandle.current().pid()), "--as=" + limit)
            .start()
            .waitFor();
    if (limited != 0) {
      throw new IllegalStateException("prlimit failed");
    }
    Main.main(Arrays.copyOfRange(arguments, second + 1, arguments.length));
  }

  private static long addressSpace() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmSize:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
        .sum();
  }
}
