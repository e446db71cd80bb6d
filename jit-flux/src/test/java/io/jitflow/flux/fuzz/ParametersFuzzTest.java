package io.jitflow.flux.fuzz;

import io.jitflow.flux.image.ImageOrigin;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.zip.CRC32;

/** The text in a PNG file that other programs saved. */
class ParametersFuzzTest extends ForeignFile {
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
  Path file() {
    return scratch.resolve("fox.png");
  }

  @Override
  void read() throws IOException {
    ImageOrigin.read(file());
  }

  @Override
  byte[] whole() throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    png.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    ByteBuffer header = ByteBuffer.allocate(13).putInt(16).putInt(16).put((byte) 8).put((byte) 2);
    chunk(png, "IHDR", header.array());
    chunk(png, "tEXt", ("parameters\0" + TEXT).getBytes(StandardCharsets.ISO_8859_1));
    chunk(png, "IEND", new byte[0]);
    return png.toByteArray();
  }

  @Override
  int head() {
    return 300;
  }
}
