package io.jitflow.flux.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;

/** The text in a PNG file that other programs saved. */
class ParametersFuzzTest extends PictureWithText {
  private static final int AFTER_HEADER = 8 + 4 + 4 + 13 + 4; // signature and IHDR
  private static final String TEXT =
      "a red fox\nNegative prompt: snow\nSteps: 20, Sampler: Euler, CFG scale: 4.5, Distilled CFG"
          + " Scale: 3.5, Seed: 42, Size: 64x48, Model: flux1-dev, Version: f2.0";

  private static void chunk(ByteArrayOutputStream png, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    png.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    png.writeBytes(name);
    png.writeBytes(data);
    png.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }

  @Override
  byte[] whole() throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream();
    ImageIO.write(picture(), "png", plain);
    byte[] bytes = plain.toByteArray();
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    png.write(bytes, 0, AFTER_HEADER);
    chunk(png, "tEXt", ("parameters\0" + TEXT).getBytes(StandardCharsets.ISO_8859_1));
    png.write(bytes, AFTER_HEADER, bytes.length - AFTER_HEADER);
    return png.toByteArray();
  }

  @Override
  int head() {
    return 300;
  }
}
