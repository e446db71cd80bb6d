package io.jitflow.flux.convert;

import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/** Whether two folders can change places in one step, which not every file system can do. */
final class FolderExchange {
  /** Not permitted, wrong argument, no such call, not supported: what is refused for its kind. */
  private static final Set<Integer> REFUSALS = Set.of(1, 22, 38, 95);

  private FolderExchange() {}

  /** Ends a test without result where the system or the file system of a folder refuses. */
  static void assumePossible(Path folder) throws IOException {
    assumeTrue(Platform.isLinux(), "only Linux exchanges two folders in one step");
    Path one = Files.createTempDirectory(folder, "one");
    Path other = Files.createTempDirectory(folder, "other");
    boolean refused =
        !AtomicExchange.exchange(one, other) && REFUSALS.contains(Native.getLastError());
    Files.delete(one);
    Files.delete(other);
    assumeFalse(refused, "this file system does not exchange two folders in one step");
  }
}
