package io.jitflow.flux.convert;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionOptions.ExistingBundle;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A new folder beside its final place. It moves there in one step when it is complete, and is
 * removed if it never is.
 *
 * <p>One process at a time works on a target. What a killed one left is seen by the next: a bundle
 * that had been moved aside goes back to its place, everything else is removed.
 */
final class StagedFolder implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FluxConverter.class);
  private static final String PARTIAL = "partial";
  private static final String OLD = "old";
  private static final String OLD_BUNDLE = "bundle";

  private final Path target;
  private final ExistingBundle existing;
  private final Path staged;
  private final TargetLock lock;
  private boolean moved;

  private StagedFolder(Path target, ExistingBundle existing, Path staged, TargetLock lock) {
    this.target = target;
    this.existing = existing;
    this.staged = staged;
    this.lock = lock;
  }

  static StagedFolder create(Path target, ExistingBundle existing) throws IOException {
    TargetLock lock = TargetLock.acquire(beside(target, "lock"));
    boolean created = false;
    try {
      cleanUp(target);
      requireFree(target, existing);
      Path staged = createBeside(target, PARTIAL);
      created = true;
      return new StagedFolder(target, existing, staged, lock);
    } finally {
      if (!created) {
        lock.close();
      }
    }
  }

  /** The existing folder in which the target is or will be; made if necessary. */
  static Path parent(Path target) throws IOException {
    Path parent = target.toAbsolutePath().normalize().getParent();
    if (parent == null) {
      throw new IllegalArgumentException(
          "a bundle is a folder with a name, got " + target + "; name a new folder in it");
    }
    return Files.createDirectories(parent);
  }

  private static Path beside(Path target, String kind) throws IOException {
    return parent(target).resolve(hiddenName(target) + kind);
  }

  private static String hiddenName(Path target) {
    return "." + target.toAbsolutePath().normalize().getFileName() + ".";
  }

  /** A new hidden folder with the permissions that the target itself would have had. */
  private static Path createBeside(Path target, String kind) throws IOException {
    String suffix = UUID.randomUUID().toString().substring(0, 8);
    return Files.createDirectory(beside(target, kind + "-" + suffix));
  }

  /** Ends what a killed process began; the lock says that no living one is at it. */
  private static void cleanUp(Path target) throws IOException {
    for (Path old : leftovers(target, OLD)) {
      Path bundle = old.resolve(OLD_BUNDLE);
      if (Files.isDirectory(bundle) && Files.notExists(target, LinkOption.NOFOLLOW_LINKS)) {
        Files.move(bundle, target, StandardCopyOption.ATOMIC_MOVE);
        LOG.warn("{} is back in its place, its replacement had been interrupted", target);
      }
    }
    for (String kind : List.of(OLD, PARTIAL)) {
      for (Path leftover : leftovers(target, kind)) {
        LOG.warn("removing {}, left by a conversion that was killed", leftover);
        delete(leftover);
      }
    }
  }

  private static List<Path> leftovers(Path target, String kind) throws IOException {
    String prefix = hiddenName(target) + kind + "-";
    try (Stream<Path> entries = Files.list(parent(target))) {
      return entries.filter(entry -> entry.getFileName().toString().startsWith(prefix)).toList();
    }
  }

  static void requireFree(Path target, ExistingBundle existing) throws IOException {
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return; // if it cannot even be seen, making it will tell why
    }
    if (existing == ExistingBundle.KEEP) {
      throw new CheckpointException(
          target
              + ": expected a free name for the bundle, found "
              + (Files.isDirectory(target) ? "a folder" : "a file")
              + "; choose another name, or ask for replacement");
    }
    boolean bundle = Files.isRegularFile(target.resolve(FluxBundle.MANIFEST));
    boolean folder = Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS);
    if (!folder || !(bundle || isEmpty(target))) {
      throw new CheckpointException(
          target
              + ": expected a bundle to replace, found "
              + (folder ? "a folder without " + FluxBundle.MANIFEST : "no folder")
              + "; choose another name, or remove it yourself");
    }
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    }
  }

  Path path() {
    return staged;
  }

  /**
   * Moves the folder to its place. It changes places with what was there in one step, where the
   * system can; else what was there is moved aside first. It is removed last.
   */
  void moveToTarget() throws IOException {
    requireFree(target, existing);
    force(staged);
    if (Files.notExists(target, LinkOption.NOFOLLOW_LINKS)) {
      Files.move(staged, target, StandardCopyOption.ATOMIC_MOVE);
      moved = true;
    } else if (AtomicExchange.exchange(staged, target)) {
      moved = true;
      delete(staged); // which is the old one now
    } else {
      moveInTwoSteps();
    }
    forceFolder(parent(target));
  }

  /**
   * A process that is killed in between leaves the old bundle aside; {@link #cleanUp} returns it.
   */
  void moveInTwoSteps() throws IOException {
    Path aside = createBeside(target, OLD);
    Path old = aside.resolve(OLD_BUNDLE);
    Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
    try {
      Files.move(staged, target, StandardCopyOption.ATOMIC_MOVE);
      moved = true;
    } catch (IOException e) {
      Files.move(old, target, StandardCopyOption.ATOMIC_MOVE);
      Files.delete(aside);
      throw e;
    }
    delete(aside);
  }

  /** Brings everything onto the disk, before an older bundle gives way to it. */
  private static void force(Path folder) throws IOException {
    try (Stream<Path> entries = Files.walk(folder)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        if (Files.isRegularFile(entry)) {
          try (FileChannel channel = FileChannel.open(entry, StandardOpenOption.WRITE)) {
            channel.force(true);
          }
        } else {
          forceFolder(entry);
        }
      }
    }
  }

  /** The names in a folder; systems on which folders cannot be opened see to it themselves. */
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      LOG.debug("the names in {} cannot be forced to the disk", folder, e);
    }
  }

  @Override
  public void close() throws IOException {
    try {
      if (!moved) {
        delete(staged);
      }
    } finally {
      lock.close();
    }
  }

  private static void delete(Path folder) throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path dir, IOException error)
              throws IOException {
            if (error != null) {
              throw error;
            }
            Files.delete(dir);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
