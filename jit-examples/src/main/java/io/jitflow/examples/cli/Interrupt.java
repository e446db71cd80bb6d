package io.jitflow.examples.cli;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C, or another request to end the process. A command that has something to clean up says so,
 * notices, cleans up and ends, or is ended all the same after half a minute; any other is ended at
 * once. The exit code is the 130 that shells expect. A second Ctrl-C is not needed.
 *
 * <p>A process that is ended in the middle of a native call is halted: its libraries would
 * otherwise free what the call still uses, and crash.
 */
final class Interrupt {

  private static final long PATIENCE_SECONDS = 30;

  private final CountDownLatch finished = new CountDownLatch(1);
  private volatile boolean requested;
  private volatile boolean cleansUp;

  /** Takes over Ctrl-C for the rest of the process. */
  void listenToCtrlC() {
    Runtime.getRuntime().addShutdownHook(new Thread(this::requestAndWait, "ctrl-c"));
  }

  private void requestAndWait() {
    request();
    try {
      if (finished.getCount() > 0 && !cleansUp) {
        Runtime.getRuntime().halt(Main.CANCELLED);
      }
      if (!finished.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("error: still busy after " + PATIENCE_SECONDS + " s, ended anyway");
        Runtime.getRuntime().halt(Main.CANCELLED);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says that the running command notices, and would leave something if it were just ended. */
  void cleansUp() {
    cleansUp = true;
  }

  /** Asks the running command to end. */
  void request() {
    requested = true;
  }

  boolean isRequested() {
    return requested;
  }

  /** Ends the command here if the user has asked for it. */
  void check() {
    if (requested) {
      throw new CancellationException("cancelled");
    }
  }

  /** Tells that the command has cleaned up, so that the process may end. */
  void finished() {
    finished.countDown();
  }
}
