package io.jitflow.flux.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * A PNG file to read, on disk or in memory.
 *
 * @param name what messages call it
 * @param content opens it
 */
record PngFile(String name, Content content) {

  /** Where the bytes come from. */
  @FunctionalInterface
  interface Content {
    ImageInputStream open() throws IOException;
  }

  static PngFile of(Path file) {
    return new PngFile(file.toString(), () -> new FileImageInputStream(file.toFile()));
  }

  static PngFile of(byte[] bytes) {
    return new PngFile(
        "the picture", () -> new MemoryCacheImageInputStream(new ByteArrayInputStream(bytes)));
  }

  /** The name. */
  @Override
  public String toString() {
    return name;
  }
}
