package io.jitflow.flux.convert;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Two names change places in one step, which Linux can do and Java has no call for. */
final class AtomicExchange {
  private static final Logger LOG = LoggerFactory.getLogger(FluxConverter.class);
  private static final int CURRENT_FOLDER = -100; // AT_FDCWD
  private static final int EXCHANGE = 2; // RENAME_EXCHANGE

  private AtomicExchange() {}

  /**
   * Exchanges two existing folders of one file system.
   *
   * @return false if this system or file system cannot, and nothing has changed
   */
  static boolean exchange(Path one, Path other) {
    if (!Platform.isLinux()) {
      return false;
    }
    try {
      Function renameat2 = NativeLibrary.getInstance("c").getFunction("renameat2");
      Object[] arguments = {
        CURRENT_FOLDER,
        one.toAbsolutePath().toString(),
        CURRENT_FOLDER,
        other.toAbsolutePath().toString(),
        EXCHANGE
      };
      return renameat2.invokeInt(arguments) == 0;
    } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
      LOG.debug("renameat2 is not to be had", e);
      return false;
    }
  }
}
