package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.testing.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TargetLockTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve(".bundle.lock");
  }

  private static void assertRefused(Path file) {
    assertThatThrownBy(() -> TargetLock.acquire(file))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("another conversion into the same place is running");
  }

  /** The exit status of another process that takes the lock. */
  private int otherProcess() throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                ChildJvm.command(
                    LockingProcess.class,
                    List.of("-Xmx64m", "-XX:TieredStopAtLevel=1"),
                    List.of(file.toString())))
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("out.txt").toFile())
            .start();
    boolean ended = child.waitFor(1, TimeUnit.MINUTES);
    child.destroyForcibly();
    assertThat(ended).as(Files.readString(folder.resolve("out.txt"))).isTrue();
    return child.exitValue();
  }

  @Test
  void acquire_refusedInThisProcess_leavesTheLockAgainstOtherProcesses() throws Exception {
    try (TargetLock lock = TargetLock.acquire(file)) {
      assertThat(lock).isNotNull();
      assertRefused(file);
      assertThat(otherProcess()).isEqualTo(LockingProcess.REFUSED);
    }
    assertThat(file).doesNotExist();
    assertThat(otherProcess()).isZero();
  }

  @Test
  void acquire_sameFileByAnotherPath_isRefused() throws Exception {
    Path alias = Files.createDirectory(folder.resolve("x")).resolve("..").resolve(".bundle.lock");
    try (TargetLock lock = TargetLock.acquire(file)) {
      assertThat(lock).isNotNull();
      assertRefused(alias);
    }
    TargetLock.acquire(alias).close();
  }
}
