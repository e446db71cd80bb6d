package io.jitflow.flux.image;

import io.jitflow.core.check.Checks;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Optional;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A picture that a request starts from, or a mask: 8 bits for each of red, green and blue.
 *
 * <p>Immutable. A request that was read back from a file knows size and hash of its pictures only,
 * see {@link #hasPixels}. Two are equal if their pixels are.
 */
public final class SourceImage {
  private static final int OPAQUE = 255;
  private static final int LARGEST_PX = 16_384;

  private final int widthPx;
  private final int heightPx;
  private final int @Nullable [] rgb;
  private final String sha256;

  private SourceImage(int widthPx, int heightPx, int @Nullable [] rgb, String sha256) {
    this.widthPx = widthPx;
    this.heightPx = heightPx;
    this.rgb = rgb;
    this.sha256 = sha256;
  }

  /** What a file tells of a picture that it does not carry. */
  static SourceImage recorded(int widthPx, int heightPx, String sha256) {
    Checks.argument(
        widthPx >= 1 && heightPx >= 1 && sha256.matches("[0-9a-f]{64}"),
        "a picture has a size and a SHA-256, got %d x %d px and '%s'",
        widthPx,
        heightPx,
        sha256);
    return new SourceImage(widthPx, heightPx, null, sha256);
  }

  /**
   * Takes a picture from memory; it is copied.
   *
   * @param image opaque, at most 8 bits a channel; indexed colours become RGB, and so do grey
   *     levels as they are stored
   * @return the picture
   * @throws IllegalArgumentException if it has transparent pixels, more bits a channel, or colours
   *     such as CMYK
   */
  public static SourceImage of(BufferedImage image) {
    return of(image, ExifOrientation.UPRIGHT);
  }

  private static SourceImage of(BufferedImage image, ExifOrientation orientation) {
    ColorModel colours = image.getColorModel();
    Checks.argument(
        colours.getComponentSize(0) <= 8,
        "expected 8 bits a channel, found %d; save the picture with 8",
        colours.getComponentSize(0));
    int space = colours.getColorSpace().getType();
    Checks.argument(
        space == ColorSpace.TYPE_RGB || space == ColorSpace.TYPE_GRAY,
        "expected RGB, found other colours, such as CMYK of a printing process; convert it to RGB");
    int width = image.getWidth();
    int height = image.getHeight();
    int[] rgb =
        space == ColorSpace.TYPE_GRAY && colours instanceof ComponentColorModel
            ? grey(image)
            : image.getRGB(0, 0, width, height, null, 0, width);
    for (int i = 0; i < rgb.length; i++) {
      if (rgb[i] >>> 24 != OPAQUE) {
        throw new IllegalArgumentException(
            "expected an opaque picture, found transparent pixels, the first at column %d, row %d; lay it on a background first, and give what is to be drawn as a mask"
                .formatted(i % width, i / width));
      }
      rgb[i] &= 0xffffff;
    }
    int[] upright = orientation.upright(rgb, width);
    return orientation.transposed
        ? new SourceImage(height, width, upright, sha256(height, width, upright))
        : new SourceImage(width, height, upright, sha256(width, height, upright));
  }

  /**
   * A grey picture's levels as red, green and blue. Its own RGB would be brighter, 188 for 128:
   * Java takes the levels for linear light, which neither files nor Java's graphics do.
   */
  private static int[] grey(BufferedImage image) {
    ColorModel colours = image.getColorModel();
    Raster raster = image.getRaster();
    int width = image.getWidth();
    int height = image.getHeight();
    int[] argb = raster.getSamples(0, 0, width, height, 0, (int[]) null);
    int largest = (1 << colours.getComponentSize(0)) - 1;
    for (int i = 0; i < argb.length; i++) {
      argb[i] = (OPAQUE << 24) | (argb[i] * 255 / largest * 0x010101);
    }
    if (colours.hasAlpha()) {
      int[] alpha = raster.getSamples(0, 0, width, height, 1, (int[]) null);
      int opaque = (1 << colours.getComponentSize(1)) - 1;
      for (int i = 0; i < argb.length; i++) {
        if (alpha[i] != opaque) {
          argb[i] &= 0xffffff;
        }
      }
    }
    return argb;
  }

  /**
   * Reads a picture, and turns it as a camera's file says (Exif's orientation in JPEG).
   *
   * @param file PNG, JPEG, GIF or BMP
   * @return the picture, upright
   * @throws IOException if the file cannot be read, is no picture, or is one that cannot be used:
   *     transparent, with 16 bits a channel, or CMYK
   */
  public static SourceImage read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new PictureException(file + ": is a folder, expected a picture", null);
    }
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString(), null, "expected a picture");
    }
    try (ImageInputStream stream = ImageIO.createImageInputStream(file.toFile())) {
      return read(stream, file.toString());
    }
  }

  /**
   * Reads a picture from memory, as {@link #read(Path)} does from a file.
   *
   * @param file the content of a PNG, JPEG, GIF or BMP file
   * @return the picture, upright
   * @throws IOException if it is no picture, is damaged, or is one that cannot be used:
   *     transparent, with 16 bits a channel, or CMYK
   */
  public static SourceImage read(byte[] file) throws IOException {
    try (ImageInputStream stream =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
      return read(stream, "the picture");
    }
  }

  /** Reads a picture that messages call by a name. */
  private static SourceImage read(ImageInputStream stream, String name) throws IOException {
    Iterator<ImageReader> readers = ImageIO.getImageReaders(stream);
    if (!readers.hasNext()) {
      throw new PictureException(
          name + ": expected a PNG, JPEG, GIF or BMP picture, found something else", null);
    }
    ImageReader reader = readers.next();
    try {
      ExifOrientation orientation = ExifOrientation.of(stream);
      reader.setInput(stream);
      return of(reader, name, orientation);
    } finally {
      reader.dispose();
    }
  }

  private static SourceImage of(ImageReader reader, String name, ExifOrientation orientation)
      throws IOException {
    try {
      if (reader.getWidth(0) > LARGEST_PX || reader.getHeight(0) > LARGEST_PX) {
        throw new PictureException(
            "%s: expected sides of at most %d px, found %d x %d; make it smaller"
                .formatted(name, LARGEST_PX, reader.getWidth(0), reader.getHeight(0)),
            null);
      }
      if (!reader.getImageTypes(0).hasNext()
          || (reader.canReadRaster()
              && reader.getFormatName().equalsIgnoreCase("jpeg")
              && reader.readRaster(0, null).getNumBands() == 4)) {
        throw new PictureException(
            name
                + ": expected RGB, found the colours of a printing process (CMYK); convert it to RGB",
            null);
      }
      return of(reader.read(0), orientation);
    } catch (PictureException e) {
      throw e;
    } catch (IllegalArgumentException e) {
      throw new PictureException(name + ": " + e.getMessage(), e);
    } catch (IOException | RuntimeException e) {
      // readers meet damaged files with whatever index or number they lead to
      throw new PictureException(
          "%s: expected a whole picture, found a damaged one (%s); export or download it again"
              .formatted(name, e.getMessage()),
          e);
    }
  }

  private static String sha256(int width, int height, int[] rgb) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] row = new byte[3 * width];
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          int pixel = rgb[y * width + x];
          row[3 * x] = (byte) (pixel >> 16);
          row[3 * x + 1] = (byte) (pixel >> 8);
          row[3 * x + 2] = (byte) pixel;
        }
        digest.update(row);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** {@return the width in px} */
  public int widthPx() {
    return widthPx;
  }

  /** {@return the height in px} */
  public int heightPx() {
    return heightPx;
  }

  /** {@return SHA-256 of the pixels as red, green, blue bytes, row by row} */
  public String sha256() {
    return sha256;
  }

  /** {@return false if only size and hash are known, because a file named this picture} */
  public boolean hasPixels() {
    return rgb != null;
  }

  /**
   * Returns the pixels.
   *
   * @return {@code 0xRRGGBB}, row by row; the caller's
   * @throws IllegalStateException without pixels
   */
  public int[] pixels() {
    return Optional.ofNullable(rgb)
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "the request names a picture of %d x %d px (SHA-256 %s) that files do not carry; give it again"
                        .formatted(widthPx, heightPx, sha256)))
        .clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SourceImage that
        && widthPx == that.widthPx
        && heightPx == that.heightPx
        && sha256.equals(that.sha256);
  }

  @Override
  public int hashCode() {
    return sha256.hashCode();
  }

  @Override
  public String toString() {
    return "%d x %d px, SHA-256 %s".formatted(widthPx, heightPx, sha256);
  }
}
