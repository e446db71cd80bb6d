package io.jitflow.flux.safetensors;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** Tells why a path cannot be read before anything is opened: opening a pipe would block. */
final class CheckpointPath {
  private CheckpointPath() {}

  /** Attributes of what {@code path} leads to, links followed. */
  static BasicFileAttributes attributes(Path path) throws IOException {
    try {
      return Files.readAttributes(path, BasicFileAttributes.class);
    } catch (NoSuchFileException e) {
      if (Files.isSymbolicLink(path)) {
        throw SafetensorsException.of(
            path,
            "is a link to "
                + Files.readSymbolicLink(path)
                + ", which does not exist; download the file again",
            e);
      }
      throw SafetensorsException.of(
          path, "expected a file, found nothing; check the path or download the file again", e);
    } catch (AccessDeniedException e) {
      throw SafetensorsException.of(path, "may not be read; check the permissions", e);
    } catch (FileSystemException e) {
      if (Files.isSymbolicLink(path)) {
        throw SafetensorsException.of(
            path,
            "is a link to "
                + Files.readSymbolicLink(path)
                + " that leads back to itself; replace the link by the file",
            e);
      }
      throw SafetensorsException.of(path, "cannot be read: " + e.getReason(), e);
    }
  }

  /** Size in bytes of a regular file. */
  static long regularFileSize(Path path) throws IOException {
    BasicFileAttributes attributes = attributes(path);
    if (attributes.isDirectory()) {
      throw SafetensorsException.of(path, "expected a file, found a folder; name a file in it");
    }
    if (!attributes.isRegularFile()) {
      throw SafetensorsException.of(
          path, "expected a regular file, found a device or pipe; copy its content into a file");
    }
    return attributes.size();
  }
}
