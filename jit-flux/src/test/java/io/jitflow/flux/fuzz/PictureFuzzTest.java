package io.jitflow.flux.fuzz;

import io.jitflow.flux.image.SourceImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** A picture to start from, and a mask. */
class PictureFuzzTest extends ForeignFile {
  @Override
  Path file() {
    return scratch.resolve("start");
  }

  @Override
  void read() throws IOException {
    SourceImage picture = SourceImage.read(file());
    if (picture.pixels().length != picture.widthPx() * picture.heightPx()) {
      throw new AssertionError(picture.toString());
    }
  }

  @Override
  byte[] whole() throws IOException {
    BufferedImage picture = new BufferedImage(24, 16, BufferedImage.TYPE_INT_RGB);
    picture.setRGB(3, 5, 0xff8800);
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(picture, "png", png);
    return png.toByteArray();
  }

  @Override
  int head() {
    return 200;
  }
}
