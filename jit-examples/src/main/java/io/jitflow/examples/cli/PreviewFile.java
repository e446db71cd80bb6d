package io.jitflow.examples.cli;

import io.jitflow.examples.bench.PngFile;
import io.jitflow.flux.image.PreviewListener;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;

/** Writes each preview over the one before, whole, for a viewer that reloads the file. */
record PreviewFile(Path file) implements PreviewListener {

  /**
   * Checks before the work that the file can be written.
   *
   * @param read files that the previews must not replace
   * @throws IllegalArgumentException if it cannot, or is one of those
   */
  PreviewFile(Path file, Collection<Path> read) {
    this(file);
    OutputOption.checkWritable("preview", file);
    Path normal = file.toAbsolutePath().normalize();
    for (Path other : read) {
      if (normal.equals(other.toAbsolutePath().normalize())) {
        throw new IllegalArgumentException(
            "--preview would replace %s, which this command reads or writes too; choose another file"
                .formatted(other));
      }
    }
  }

  @Override
  public void onPreview(int step, BufferedImage preview) {
    try {
      PngFile.write(preview, file);
    } catch (IOException e) {
      throw new UncheckedIOException(
          new IOException("%s: the preview could not be written (%s)".formatted(file, e), e));
    }
  }
}
