package io.jitflow.flux.fuzz;

import io.jitflow.flux.image.ImageOrigin;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;

/** A PNG file with text that tells where the picture came from. */
abstract class PictureWithText extends ForeignFile {
  static BufferedImage picture() {
    return new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
  }

  @Override
  final Path file() {
    return scratch.resolve("fox.png");
  }

  @Override
  final void read() throws IOException {
    ImageOrigin.read(file());
  }
}
