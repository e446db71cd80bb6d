package io.jitflow.flux.convert;

import java.io.IOException;
import java.nio.file.Path;

/** Takes a lock and ends; the exit status says whether it could. */
final class LockingProcess {
  static final int REFUSED = 3;

  private LockingProcess() {}

  public static void main(String[] arguments) throws IOException {
    try {
      TargetLock.acquire(Path.of(arguments[0])).close();
    } catch (CheckpointException e) {
      System.exit(REFUSED);
    }
  }
}
