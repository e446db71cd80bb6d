package io.jitflow.flux.convert;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A locked file: the system releases it when the process ends, however it ends. */
final class TargetLock implements AutoCloseable {
  /**
   * The files that this process has locked. They are not opened again: on POSIX systems closing any
   * channel of a file releases every lock that the process holds on it.
   */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  private final Path file;
  private final Path place;
  private final FileChannel channel;

  private TargetLock(Path file, Path place, FileChannel channel) {
    this.file = file;
    this.place = place;
    this.channel = channel;
  }

  /**
   * Locks a file.
   *
   * @throws CheckpointException if another conversion holds it
   */
  static TargetLock acquire(Path file) throws IOException {
    Path folder = Objects.requireNonNull(file.toAbsolutePath().getParent(), "folder of the lock");
    Path place = folder.toRealPath().resolve(file.getFileName());
    if (!HELD.add(place)) {
      throw taken(file);
    }
    boolean locked = false;
    try {
      TargetLock lock = open(file, place);
      locked = true;
      return lock;
    } finally {
      if (!locked) {
        HELD.remove(place);
      }
    }
  }

  private static TargetLock open(Path file, Path place) throws IOException {
    while (true) {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      boolean locked = false;
      try {
        locked = lock(channel) && Files.exists(file); // not one that was removed just now
        if (locked) {
          return new TargetLock(file, place, channel);
        }
        if (Files.exists(file)) {
          throw taken(file);
        }
      } finally {
        if (!locked) {
          channel.close();
        }
      }
    }
  }

  private static CheckpointException taken(Path file) {
    return new CheckpointException(
        file + ": another conversion into the same place is running; wait for it");
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // another class loader of this process holds it
    }
  }

  @Override
  public void close() throws IOException {
    try {
      Files.deleteIfExists(file);
    } finally {
      try {
        channel.close();
      } finally {
        HELD.remove(place);
      }
    }
  }
}
