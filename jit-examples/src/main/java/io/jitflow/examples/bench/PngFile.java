package io.jitflow.examples.bench;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.imageio.ImageIO;

/** PNG files that are written whole or not at all. */
public final class PngFile {
  private PngFile() {}

  /**
   * Writes a picture, in place of what has that name at once: whoever reads the file meanwhile sees
   * the one or the other. A link is followed; what is no file, as {@code /dev/null}, is written to.
   *
   * @param picture the picture
   * @param file where to, in a folder that exists
   * @throws IOException if it cannot be written; what was there is still there then
   */
  public static void write(BufferedImage picture, Path file) throws IOException {
    Path whole = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
    if (Files.exists(whole) && !Files.isRegularFile(whole) && !Files.isDirectory(whole)) {
      try (OutputStream out = Files.newOutputStream(whole)) { // a device or a pipe
        encode(picture, file, out);
      }
      return;
    }
    Path unfinished = whole.resolveSibling("." + whole.getFileName() + ".tmp");
    try {
      try (OutputStream out = Files.newOutputStream(unfinished)) {
        encode(picture, file, out);
      }
      Files.move(unfinished, whole, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private static void encode(BufferedImage picture, Path file, OutputStream out)
      throws IOException {
    if (!ImageIO.write(picture, "png", out)) {
      throw new IOException(file + ": this Java cannot write such a picture as PNG");
    }
  }
}
