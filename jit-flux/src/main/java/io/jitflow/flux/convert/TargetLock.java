package io.jitflow.flux.convert;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A locked file: the system releases it when the process ends, however it ends. */
final class TargetLock implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;

  private TargetLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Locks a file.
   *
   * @throws CheckpointException if another conversion holds it
   */
  static TargetLock acquire(Path file) throws IOException {
    while (true) {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      boolean locked = false;
      try {
        locked = lock(channel) && Files.exists(file); // not one that was removed just now
        if (locked) {
          return new TargetLock(file, channel);
        }
        if (Files.exists(file)) {
          throw new CheckpointException(
              file + ": another conversion into the same place is running; wait for it");
        }
      } finally {
        if (!locked) {
          channel.close();
        }
      }
    }
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // this process holds it
    }
  }

  @Override
  public void close() throws IOException {
    try {
      Files.deleteIfExists(file);
    } finally {
      channel.close();
    }
  }
}
