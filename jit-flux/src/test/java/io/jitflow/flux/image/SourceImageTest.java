package io.jitflow.flux.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.awt.Graphics2D;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SourceImageTest {
  /** One red pixel as CMYK JPEG with Adobe's marker, 8 x 8 px, made with Pillow 9.4. */
  private static final String CMYK =
      "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAbEhQXFBEbFxYXHhwbIChCKyglJShROj0wQmBVZWRfVV1baniZ"
          + "gWpxkHNbXYW1hpCeo6utq2eAvMm6pseZqKuk/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABQAAQAAAAAA"
          + "AAAAAAAAAAAAAAb/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oADgRDAE0AWQBLAAA/AEwyMkz/2Q==";

  private static final int RED = 0xff0000;
  private static final int GREEN = 0xff00;
  private static final int BLUE = 0xff;
  private static final int WHITE = 0xffffff;

  @TempDir Path folder;

  private Path write(BufferedImage image, String name) throws IOException {
    Path file = folder.resolve(name);
    ImageIO.write(image, name.substring(name.indexOf('.') + 1), file.toFile());
    return file;
  }

  private static BufferedImage image(int type) {
    BufferedImage image = new BufferedImage(32, 16, type);
    Graphics2D graphics = image.createGraphics();
    graphics.setColor(java.awt.Color.RED);
    graphics.fillRect(0, 0, 32, 16);
    graphics.dispose();
    return image;
  }

  @Test
  void read_rgbAndOpaqueRgba_areTheSamePicture() throws IOException {
    SourceImage rgb = SourceImage.read(write(image(BufferedImage.TYPE_INT_RGB), "a.png"));
    SourceImage rgba = SourceImage.read(write(image(BufferedImage.TYPE_INT_ARGB), "b.png"));
    assertThat(rgb.widthPx()).isEqualTo(32);
    assertThat(rgb.pixels()).hasSize(512).containsOnly(0xff0000);
    assertThat(rgba).isEqualTo(rgb).hasSameHashCodeAs(rgb);
  }

  @Test
  void read_gifAndBmp_areTheSamePicture() throws IOException {
    SourceImage png = SourceImage.read(write(image(BufferedImage.TYPE_INT_RGB), "a.png"));
    assertThat(SourceImage.read(write(image(BufferedImage.TYPE_BYTE_INDEXED), "a.gif")))
        .isEqualTo(png);
    assertThat(SourceImage.read(write(image(BufferedImage.TYPE_INT_RGB), "a.bmp"))).isEqualTo(png);
  }

  @Test
  void read_greyAndIndexed_becomeRgb() throws IOException {
    SourceImage indexed = SourceImage.read(write(image(BufferedImage.TYPE_BYTE_INDEXED), "a.png"));
    assertThat(indexed.pixels()).containsOnly(0xff0000);
    SourceImage grey = SourceImage.read(write(image(BufferedImage.TYPE_BYTE_GRAY), "b.png"));
    assertThat(Arrays.stream(grey.pixels()))
        .allMatch(p -> (p >> 16) == (p & 255) && (p >> 8 & 255) == (p & 255));
  }

  /** A level of grey as files store it: Java's setRGB would take it for linear light. */
  private static BufferedImage grey(BufferedImage image, int level) {
    for (int i = 0; i < image.getWidth() * image.getHeight(); i++) {
      image.getRaster().setSample(i % image.getWidth(), i / image.getWidth(), 0, level);
    }
    return image;
  }

  private static BufferedImage greyWithAlpha(int level) {
    ColorModel colours =
        new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_GRAY),
            true,
            false,
            Transparency.TRANSLUCENT,
            DataBuffer.TYPE_BYTE);
    BufferedImage image =
        new BufferedImage(colours, colours.createCompatibleWritableRaster(16, 16), false, null);
    for (int i = 0; i < 16 * 16; i++) {
      image.getRaster().setSample(i % 16, i / 16, 1, 255);
    }
    return grey(image, level);
  }

  @Test
  void read_grey_keepsItsLevels() throws IOException {
    BufferedImage plain = new BufferedImage(32, 16, BufferedImage.TYPE_BYTE_GRAY);
    for (int level : new int[] {0, 1, 55, 128, 254, 255}) {
      int rgb = level * 0x010101;
      assertThat(SourceImage.of(grey(plain, level)).pixels()).containsOnly(rgb);
      assertThat(SourceImage.read(write(plain, "a.png")).pixels()).containsOnly(rgb);
      assertThat(SourceImage.read(write(greyWithAlpha(level), "b.png")).pixels()).containsOnly(rgb);
    }
    int[] jpeg = SourceImage.read(write(grey(plain, 128), "a.jpg")).pixels();
    assertThat(Arrays.stream(jpeg))
        .allMatch(p -> Math.abs((p & 255) - 128) <= 2 && p == (p & 255) * 0x010101);
  }

  @Test
  void read_greyWithATransparentPixel_isRefusedWithItsPlace() throws IOException {
    BufferedImage image = greyWithAlpha(128);
    image.getRaster().setSample(3, 2, 1, 254);
    Path file = write(image, "a.png");
    assertThatThrownBy(() -> SourceImage.read(file))
        .isInstanceOf(PictureException.class)
        .hasMessageContaining("transparent pixels, the first at column 3, row 2");
  }

  @Test
  void read_contentOfAFile_isThePictureOfTheFile() throws IOException {
    Path file = photo(orientation(6, ByteOrder.BIG_ENDIAN));
    assertThat(SourceImage.read(Files.readAllBytes(file))).isEqualTo(SourceImage.read(file));
    byte[] whole = Files.readAllBytes(write(image(BufferedImage.TYPE_INT_RGB), "b.png"));
    byte[] cut = Arrays.copyOf(whole, whole.length / 2);
    assertThatThrownBy(() -> SourceImage.read(cut))
        .isInstanceOf(PictureException.class)
        .hasMessageStartingWith("the picture: expected a whole picture, found a damaged one");
    byte[] cmyk = Base64.getDecoder().decode(CMYK);
    assertThatThrownBy(() -> SourceImage.read(cmyk))
        .isInstanceOf(PictureException.class)
        .hasMessageContaining("CMYK");
    assertThatThrownBy(() -> SourceImage.read(new byte[3]))
        .isInstanceOf(PictureException.class)
        .hasMessageContaining("found something else");
  }

  @Test
  void read_transparentPixel_isRefusedWithItsPlace() throws IOException {
    BufferedImage image = image(BufferedImage.TYPE_INT_ARGB);
    image.setRGB(3, 2, 0x80ff0000);
    Path file = write(image, "a.png");
    assertThatThrownBy(() -> SourceImage.read(file))
        .isInstanceOf(PictureException.class)
        .hasMessageContaining("transparent pixels, the first at column 3, row 2");
  }

  @Test
  void read_sixteenBits_isRefused() throws IOException {
    Path file = write(image(BufferedImage.TYPE_USHORT_GRAY), "a.png");
    assertThatThrownBy(() -> SourceImage.read(file))
        .isInstanceOf(PictureException.class)
        .hasMessageContaining("expected 8 bits a channel, found 16");
  }

  @Test
  void read_cmyk_isRefused() throws IOException {
    Path file = Files.write(folder.resolve("a.jpg"), Base64.getDecoder().decode(CMYK));
    assertThatThrownBy(() -> SourceImage.read(file))
        .isInstanceOf(PictureException.class)
        .hasMessageContaining("CMYK");
  }

  /** A JPEG file with Exif before JFIF, as cameras write it: red, green over blue, white. */
  private Path photo(byte[] tiff) throws IOException {
    BufferedImage image = new BufferedImage(64, 32, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 64 * 32; i++) {
      boolean left = i % 64 < 32;
      image.setRGB(i % 64, i / 64, i < 32 * 32 ? (left ? RED : GREEN) : left ? BLUE : WHITE);
    }
    byte[] plain = Files.readAllBytes(write(image, "photo.jpg"));
    ByteArrayOutputStream photo = new ByteArrayOutputStream();
    photo.write(plain, 0, 2);
    int length = 2 + 6 + tiff.length;
    photo.write(new byte[] {(byte) 0xff, (byte) 0xe1, (byte) (length >> 8), (byte) length});
    photo.write("Exif\0\0".getBytes(StandardCharsets.US_ASCII));
    photo.write(tiff);
    photo.write(plain, 2, plain.length - 2);
    return Files.write(folder.resolve("photo.jpg"), photo.toByteArray());
  }

  /** Exif with the tag Orientation only. */
  private static byte[] orientation(int value, ByteOrder order) {
    return ByteBuffer.allocate(26)
        .order(order)
        .put((order == ByteOrder.BIG_ENDIAN ? "MM" : "II").getBytes(StandardCharsets.US_ASCII))
        .putShort((short) 42)
        .putInt(8)
        .putShort((short) 1)
        .putShort((short) 274)
        .putShort((short) 3)
        .putInt(1)
        .putShort((short) value)
        .array();
  }

  /** The nearest of the photo's colours, a quarter of the picture each, row by row. */
  private static List<Integer> quarters(SourceImage picture) {
    int[] pixels = picture.pixels();
    int width = picture.widthPx();
    int height = picture.heightPx();
    return IntStream.range(0, 4)
        .map(k -> pixels[(1 + k / 2 * 2) * height / 4 * width + (1 + k % 2 * 2) * width / 4])
        .mapToObj(
            rgb ->
                ((rgb >> 16 & 255) > 127 ? RED : 0)
                    | ((rgb >> 8 & 255) > 127 ? GREEN : 0)
                    | ((rgb & 255) > 127 ? BLUE : 0))
        .toList();
  }

  static Stream<Arguments> orientations() { // where the standard puts stored row 0 and column 0
    return Stream.of(
        arguments(1, 64, List.of(RED, GREEN, BLUE, WHITE)),
        arguments(2, 64, List.of(GREEN, RED, WHITE, BLUE)),
        arguments(3, 64, List.of(WHITE, BLUE, GREEN, RED)),
        arguments(4, 64, List.of(BLUE, WHITE, RED, GREEN)),
        arguments(5, 32, List.of(RED, BLUE, GREEN, WHITE)),
        arguments(6, 32, List.of(BLUE, RED, WHITE, GREEN)),
        arguments(7, 32, List.of(WHITE, GREEN, BLUE, RED)),
        arguments(8, 32, List.of(GREEN, WHITE, RED, BLUE)));
  }

  @ParameterizedTest
  @MethodSource("orientations")
  void read_photoHeldOtherwise_isUpright(int value, int width, List<Integer> quarters)
      throws IOException {
    for (ByteOrder order : List.of(ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN)) {
      SourceImage picture = SourceImage.read(photo(orientation(value, order)));
      assertThat(picture.widthPx()).isEqualTo(width);
      assertThat(picture.heightPx()).isEqualTo(96 - width);
      assertThat(quarters(picture)).isEqualTo(quarters);
    }
  }

  @Test
  void read_photoWithUnreadableExif_isTakenAsStored() throws IOException {
    byte[] damaged = orientation(6, ByteOrder.BIG_ENDIAN);
    damaged[4] = 127; // the directory lies outside
    for (byte[] tiff :
        List.of(
            damaged,
            new byte[0],
            orientation(0, ByteOrder.BIG_ENDIAN),
            orientation(9, ByteOrder.BIG_ENDIAN))) {
      assertThat(quarters(SourceImage.read(photo(tiff)))).containsExactly(RED, GREEN, BLUE, WHITE);
    }
  }

  @Test
  void of_otherColours_isRefused() {
    ColorSpace printing = // as Java reads TIFF files with CMYK
        new ColorSpace(ColorSpace.TYPE_CMYK, 4) {
          @Override
          public float[] toRGB(float[] values) {
            return new float[] {1 - values[0], 1 - values[1], 1 - values[2]};
          }

          @Override
          public float[] fromRGB(float[] values) {
            throw new UnsupportedOperationException();
          }

          @Override
          public float[] toCIEXYZ(float[] values) {
            throw new UnsupportedOperationException();
          }

          @Override
          public float[] fromCIEXYZ(float[] values) {
            throw new UnsupportedOperationException();
          }
        };
    ColorModel colours =
        new ComponentColorModel(printing, false, false, Transparency.OPAQUE, DataBuffer.TYPE_BYTE);
    BufferedImage image =
        new BufferedImage(colours, colours.createCompatibleWritableRaster(16, 16), false, null);
    assertThatThrownBy(() -> SourceImage.of(image))
        .hasMessageContaining("expected RGB, found other colours, such as CMYK");
  }

  @Test
  void read_otherFiles_areRefused() throws IOException {
    Path text = Files.writeString(folder.resolve("a.png"), "no picture");
    assertThatThrownBy(() -> SourceImage.read(text)).hasMessageContaining("found something else");
    assertThatThrownBy(() -> SourceImage.read(folder.resolve("none.png")))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> SourceImage.read(folder)).hasMessageContaining("is a folder");
    byte[] whole = Files.readAllBytes(write(image(BufferedImage.TYPE_INT_RGB), "b.png"));
    Path cut = Files.write(folder.resolve("c.png"), Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> SourceImage.read(cut))
        .hasMessageContaining("expected a whole picture, found a damaged one")
        .hasMessageEndingWith("export or download it again");
  }

  @Test
  void withImage_otherSides_areRefusedWithTheNearest() {
    SourceImage odd = SourceImage.of(new BufferedImage(200, 96, BufferedImage.TYPE_INT_RGB));
    assertThatThrownBy(() -> ImageRequest.of("x").withImage(odd, 0.5))
        .hasMessageContaining("width of the picture must be a multiple of 16 px, got 200; try 192");
  }

  @Test
  void withSize_otherThanThePicture_isRefused() {
    SourceImage picture = SourceImage.of(image(BufferedImage.TYPE_INT_RGB));
    ImageRequest request = ImageRequest.of("x").withImage(picture, 0.5);
    assertThat(request.widthPx()).isEqualTo(32);
    assertThatThrownBy(() -> request.withSize(64, 64))
        .hasMessageContaining("has 32 x 16 px, the request 64 x 64 px");
  }

  @Test
  void withMask_blackOrOfAnotherSizeOrWithoutPicture_isRefused() {
    SourceImage picture = SourceImage.of(image(BufferedImage.TYPE_INT_RGB));
    SourceImage black = SourceImage.of(new BufferedImage(32, 16, BufferedImage.TYPE_BYTE_GRAY));
    ImageRequest request = ImageRequest.of("x").withImage(picture, 0.5);
    assertThatThrownBy(() -> request.withMask(black)).hasMessageContaining("black everywhere");
    BufferedImage white = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
    white.setRGB(0, 0, 0xffffff);
    SourceImage small = SourceImage.of(white);
    assertThatThrownBy(() -> request.withMask(small)).hasMessageContaining("the mask has 16 x 16");
    assertThatThrownBy(() -> ImageRequest.of("x").withSize(16, 16).withMask(small))
        .hasMessageContaining("give the picture too");
  }

  @Test
  void withImage_strengthOutOfRange_isRefused() {
    SourceImage picture = SourceImage.of(image(BufferedImage.TYPE_INT_RGB));
    for (double strength : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThatThrownBy(() -> ImageRequest.of("x").withImage(picture, strength))
          .hasMessageContaining("strength must be from 0 to 1");
    }
  }
}
