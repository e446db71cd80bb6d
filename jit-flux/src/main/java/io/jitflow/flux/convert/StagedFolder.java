package io.jitflow.flux.convert;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionOptions.ExistingBundle;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A new folder beside its final place. It moves there in one step when it is complete, and is
 * removed if it never is.
 */
final class StagedFolder implements AutoCloseable {
  private final Path target;
  private final ExistingBundle existing;
  private final Path staged;
  private boolean moved;

  private StagedFolder(Path target, ExistingBundle existing, Path staged) {
    this.target = target;
    this.existing = existing;
    this.staged = staged;
  }

  static StagedFolder create(Path target, ExistingBundle existing) throws IOException {
    requireFree(target, existing);
    return new StagedFolder(target, existing, createBeside(target, "partial"));
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

  /** A new hidden folder with the permissions that the target itself would have had. */
  private static Path createBeside(Path target, String kind) throws IOException {
    Path name = target.toAbsolutePath().normalize().getFileName();
    String suffix = UUID.randomUUID().toString().substring(0, 8);
    return Files.createDirectory(parent(target).resolve("." + name + "." + kind + "-" + suffix));
  }

  static void requireFree(Path target, ExistingBundle existing) throws IOException {
    if (Files.notExists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
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

  /** Moves the folder to its place; what was there is moved aside first and removed last. */
  void moveToTarget() throws IOException {
    requireFree(target, existing);
    if (Files.notExists(target, LinkOption.NOFOLLOW_LINKS)) {
      Files.move(staged, target, StandardCopyOption.ATOMIC_MOVE);
      moved = true;
      return;
    }
    Path aside = createBeside(target, "old");
    Path old = aside.resolve("bundle");
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

  @Override
  public void close() throws IOException {
    if (!moved) {
      delete(staged);
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
