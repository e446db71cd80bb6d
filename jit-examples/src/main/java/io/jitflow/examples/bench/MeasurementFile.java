package io.jitflow.examples.bench;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.json.StrictJson;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.zip.CRC32C;
import javax.imageio.ImageIO;

/** Measurements of a study that goes on another day: a record as JSON. */
public final class MeasurementFile {
  private static final Gson GSON = new Gson();

  private MeasurementFile() {}

  /**
   * Reads a file that {@link #write} made.
   *
   * @param file which need not exist
   * @param type the record
   * @param study tells what a record was measured for
   * @param wanted what it must have been measured for
   * @return empty if there is no such file
   * @throws IOException if it was measured for something else, or is damaged
   */
  public static <T> Optional<T> read(
      Path file, Class<T> type, Function<T, String> study, String wanted) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    T measures;
    try {
      measures =
          GSON.getAdapter(type)
              .fromJsonTree(
                  StrictJson.tree(
                      Files.readString(file),
                      (problem, cause) ->
                          new IOException(file + ": " + problem + "; delete it", cause)));
    } catch (JsonParseException e) {
      throw new IOException(file + ": not a file of measurements; delete it", e);
    }
    if (measures == null || !wanted.equals(study.apply(measures))) {
      throw new IOException(
          "%s: measured for \"%s\", not for \"%s\"; name another folder"
              .formatted(file, measures == null ? "" : study.apply(measures), wanted));
    }
    return Optional.of(measures);
  }

  /** Writes the file whole or not at all. */
  public static void write(Path file, Object measures) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    Files.writeString(part, GSON.toJson(measures));
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Tells files apart of which a study depends.
   *
   * @return CRC-32C of the content, eight hexadecimal digits
   */
  public static String checksum(Path file) throws IOException {
    return checksum(Files.readAllBytes(file));
  }

  /**
   * Tells models apart: by the settings and the content of the files that draw, not by where they
   * came from.
   *
   * @param bundle the bundle's folder
   * @return CRC-32C of what its manifest says of them, eight hexadecimal digits
   */
  public static String model(Path bundle) throws IOException {
    Path manifest = bundle.resolve(FluxBundle.MANIFEST);
    JsonObject tree =
        StrictJson.tree(
                Files.readString(manifest),
                (problem, cause) -> new IOException(manifest + ": " + problem, cause))
            .getAsJsonObject();
    tree.remove("libraryVersion");
    tree.remove("sources");
    tree.getAsJsonArray("files").forEach(file -> file.getAsJsonObject().remove("sha256"));
    return checksum(GSON.toJson(tree).getBytes(StandardCharsets.UTF_8));
  }

  private static String checksum(byte[] content) {
    CRC32C checksum = new CRC32C();
    checksum.update(content);
    return String.format(Locale.ROOT, "%08x", checksum.getValue());
  }

  /** A picture as it stands in a record. */
  public static byte[] png(BufferedImage picture) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(picture, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** A picture that {@link #png} packed. */
  public static BufferedImage picture(byte[] png) {
    try {
      return ImageIO.read(new ByteArrayInputStream(png));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
