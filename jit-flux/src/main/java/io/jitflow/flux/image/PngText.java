package io.jitflow.flux.image;

import java.awt.image.BufferedImage;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Function;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * PNG files with texts: our own under our keyword as {@code iTXt}, and one that others read, as
 * {@code tEXt} if it is Latin-1 and as {@code iTXt} if not, which is what they expect.
 */
final class PngText {

  static final String KEYWORD = "jitflow";

  private static final String NATIVE_FORMAT = "javax_imageio_png_1.0";

  private PngText() {}

  /**
   * Writes an image with both texts.
   *
   * @param own the text under our keyword
   * @param parameters the text under {@link ParametersText#KEYWORD}
   */
  static void write(BufferedImage image, String own, String parameters, OutputStream out)
      throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
    try (ImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
      IIOMetadata metadata =
          writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(image), null);
      IIOMetadataNode international = new IIOMetadataNode("iTXt");
      international.appendChild(international(KEYWORD, own));
      IIOMetadataNode root = new IIOMetadataNode(NATIVE_FORMAT);
      if (StandardCharsets.ISO_8859_1.newEncoder().canEncode(parameters)) {
        IIOMetadataNode latin = new IIOMetadataNode("tEXt");
        IIOMetadataNode entry = new IIOMetadataNode("tEXtEntry");
        entry.setAttribute("keyword", ParametersText.KEYWORD);
        entry.setAttribute("value", parameters);
        latin.appendChild(entry);
        root.appendChild(latin);
      } else {
        international.appendChild(international(ParametersText.KEYWORD, parameters));
      }
      root.appendChild(international);
      metadata.mergeTree(NATIVE_FORMAT, root);
      writer.setOutput(stream);
      writer.write(new IIOImage(image, null, metadata));
    } finally {
      writer.dispose();
    }
  }

  private static IIOMetadataNode international(String keyword, String text) {
    IIOMetadataNode entry = new IIOMetadataNode("iTXtEntry");
    entry.setAttribute("keyword", keyword);
    entry.setAttribute("compressionFlag", "FALSE");
    entry.setAttribute("compressionMethod", "0");
    entry.setAttribute("languageTag", "");
    entry.setAttribute("translatedKeyword", "");
    entry.setAttribute("text", text);
    return entry;
  }

  /** The text under the keyword that others use, if the file has one before its pixels. */
  static Optional<String> readParameters(PngFile png) throws IOException {
    return read(
        png,
        tree ->
            find(tree, "tEXtEntry", ParametersText.KEYWORD, "value")
                .or(() -> find(tree, "iTXtEntry", ParametersText.KEYWORD, "text"))
                .or(() -> find(tree, "zTXtEntry", ParametersText.KEYWORD, "text")));
  }

  /** The text under our keyword, if the file has one before its pixels. */
  static Optional<String> read(PngFile png) throws IOException {
    return read(png, tree -> find(tree, "iTXtEntry", KEYWORD, "text"));
  }

  private static Optional<String> read(PngFile png, Function<Node, Optional<String>> find)
      throws IOException {
    ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
    try (ImageInputStream stream = png.content().open()) {
      if (!isPng(reader, stream)) {
        throw new PngException(png + ": no PNG file");
      }
      return find.apply(tree(reader, stream, png));
    } finally {
      reader.dispose();
    }
  }

  private static boolean isPng(ImageReader reader, ImageInputStream stream) throws IOException {
    try {
      return reader.getOriginatingProvider().canDecodeInput(stream);
    } catch (EOFException e) { // shorter than its signature
      return false;
    }
  }

  private static Node tree(ImageReader reader, ImageInputStream stream, PngFile png)
      throws IOException {
    try {
      reader.setInput(stream);
      return reader.getImageMetadata(0).getAsTree(NATIVE_FORMAT);
    } catch (EOFException e) {
      throw new PngException(png + ": damaged PNG file: it ends too early", e);
    } catch (IOException | RuntimeException e) {
      // the reader meets damaged chunks with whatever index or number they lead to
      throw new PngException(png + ": damaged PNG file: " + e.getMessage(), e);
    }
  }

  private static Optional<String> find(
      Node root, String entryName, String keyword, String valueName) {
    NodeList entries = ((Element) root).getElementsByTagName(entryName);
    for (int i = 0; i < entries.getLength(); i++) {
      Element entry = (Element) entries.item(i);
      if (entry.getAttribute("keyword").equals(keyword)) {
        return Optional.of(entry.getAttribute(valueName));
      }
    }
    return Optional.empty();
  }
}
