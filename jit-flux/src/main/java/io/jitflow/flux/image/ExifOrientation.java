package io.jitflow.flux.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.plugins.tiff.BaselineTIFFTagSet;
import javax.imageio.plugins.tiff.TIFFDirectory;
import javax.imageio.plugins.tiff.TIFFField;
import javax.imageio.stream.ImageInputStream;

/**
 * How a camera was held: Exif's tag Orientation (CIPA DC-008, 274), which says where the first row
 * and the first column of the stored pixels belong.
 */
enum ExifOrientation {
  // in the order of the tag's values, 1 to 8
  UPRIGHT(false, false, false),
  MIRRORED(false, true, false),
  TURNED_180(false, true, true),
  MIRRORED_TURNED_180(false, false, true),
  TRANSPOSED(true, false, false),
  TURNED_90(true, false, true),
  TRANSPOSED_TURNED_180(true, true, true),
  TURNED_270(true, true, false);

  private static final byte[] EXIF = "Exif\0\0".getBytes(StandardCharsets.US_ASCII);
  private static final int START_OF_IMAGE = 0xffd8;
  private static final int START_OF_SCAN = 0xffda;
  private static final int APP1 = 0xffe1;
  private static final int FIRST_MARKER = 0xff01;
  private static final int LENGTH_BYTES = 2;

  /** Whether the stored rows are columns of the picture. */
  final boolean transposed;

  private final boolean lastColumnFirst;
  private final boolean lastRowFirst;

  ExifOrientation(boolean transposed, boolean lastColumnFirst, boolean lastRowFirst) {
    this.transposed = transposed;
    this.lastColumnFirst = lastColumnFirst;
    this.lastRowFirst = lastRowFirst;
  }

  /**
   * Reads what a JPEG file says. Its segments are walked here, since ImageIO gives no metadata of
   * files in which Exif stands before JFIF.
   *
   * @param stream a picture of any format; stays where it is
   * @return {@link #UPRIGHT} unless it is a JPEG with a readable tag
   */
  static ExifOrientation of(ImageInputStream stream) throws IOException {
    stream.mark();
    try {
      return ofExif(exif(stream));
    } catch (IOException | RuntimeException e) {
      // Exif that cannot be read says nothing, and a damaged picture is met by its reader
      return UPRIGHT;
    } finally {
      stream.reset();
    }
  }

  /** The TIFF structure inside the first segment of Exif, empty without one. */
  private static byte[] exif(ImageInputStream stream) throws IOException {
    if (stream.readUnsignedShort() != START_OF_IMAGE) {
      return new byte[0];
    }
    for (int marker = stream.readUnsignedShort();
        marker >= FIRST_MARKER && marker != START_OF_SCAN;
        marker = stream.readUnsignedShort()) {
      byte[] segment = new byte[stream.readUnsignedShort() - LENGTH_BYTES];
      stream.readFully(segment);
      if (marker == APP1 && Arrays.mismatch(segment, EXIF) == EXIF.length) {
        return Arrays.copyOfRange(segment, EXIF.length, segment.length);
      }
    }
    return new byte[0];
  }

  private static ExifOrientation ofExif(byte[] exif) throws IOException {
    if (exif.length == 0) {
      return UPRIGHT;
    }
    ImageReader reader = ImageIO.getImageReadersByFormatName("tiff").next();
    try (ImageInputStream stream = ImageIO.createImageInputStream(new ByteArrayInputStream(exif))) {
      reader.setInput(stream);
      TIFFField field =
          TIFFDirectory.createFromMetadata(reader.getImageMetadata(0))
              .getTIFFField(BaselineTIFFTagSet.TAG_ORIENTATION);
      return field == null ? UPRIGHT : values()[field.getAsInt(0) - 1];
    } finally {
      reader.dispose();
    }
  }

  /**
   * Turns pixels as the picture is to be seen.
   *
   * @param stored row by row
   * @param width of the stored rows
   * @return as rows of the height if {@link #transposed}, else of the width; the array itself if
   *     {@link #UPRIGHT}
   */
  int[] upright(int[] stored, int width) {
    if (this == UPRIGHT) {
      return stored;
    }
    int height = stored.length / width;
    int columns = transposed ? height : width;
    int[] upright = new int[stored.length];
    for (int i = 0; i < upright.length; i++) {
      int x = transposed ? i / columns : i % columns;
      int y = transposed ? i % columns : i / columns;
      upright[i] =
          stored[
              (lastRowFirst ? height - 1 - y : y) * width + (lastColumnFirst ? width - 1 - x : x)];
    }
    return upright;
  }
}
