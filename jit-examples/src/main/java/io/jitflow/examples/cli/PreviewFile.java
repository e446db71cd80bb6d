package io.jitflow.examples.cli;

import io.jitflow.flux.image.PreviewListener;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import javax.imageio.ImageIO;

/** Writes each preview over the one before, whole, for a viewer that reloads the file. */
record PreviewFile(Path file) implements PreviewListener {

  @Override
  public void onPreview(int step, BufferedImage preview) {
    Path whole = file.toAbsolutePath();
    Path unfinished = whole.resolveSibling("." + whole.getFileName() + ".tmp");
    try {
      ImageIO.write(preview, "png", unfinished.toFile());
      Files.move(unfinished, whole, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": the preview could not be written", e);
    }
  }
}
