package io.jitflow.examples.bench;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import io.jitflow.flux.json.StrictJson;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;

/**
 * The pictures that a small model was trained on: their names, and each reduced to 16 x 16 RGB
 * pixels.
 *
 * @param names the captions
 * @param references one reduced picture per name
 * @param checksum of the file with the pictures
 */
public record PictureSet(List<String> names, List<Thumbnail> references, String checksum) {
  private static final int COLUMNS = 32;

  /**
   * Reads a set.
   *
   * @param names a JSON list of objects with a "name"
   * @param atlas the reduced pictures, 32 to a row, in the order of the names
   */
  public static PictureSet read(Path names, Path atlas) throws IOException {
    List<String> captions = new ArrayList<>();
    try {
      JsonArray list =
          StrictJson.tree(
                  Files.readString(names),
                  (problem, cause) -> new IOException(names + ": " + problem, cause))
              .getAsJsonArray();
      for (JsonElement entry : list) {
        captions.add(entry.getAsJsonObject().get("name").getAsString());
      }
    } catch (IllegalStateException | NullPointerException | UnsupportedOperationException e) {
      throw new IOException(names + ": expected a JSON list of objects with a \"name\"", e);
    }
    if (!Files.isRegularFile(atlas)) {
      throw new NoSuchFileException(atlas.toString());
    }
    BufferedImage image = ImageIO.read(atlas.toFile());
    int rows = (captions.size() + COLUMNS - 1) / COLUMNS;
    if (image == null
        || image.getWidth() != COLUMNS * Thumbnail.SIDE
        || image.getHeight() != rows * Thumbnail.SIDE) {
      throw new IOException(
          "%s: expected a picture of %d x %d px for %d names, found %s; give the references of these names"
              .formatted(
                  atlas,
                  COLUMNS * Thumbnail.SIDE,
                  rows * Thumbnail.SIDE,
                  captions.size(),
                  image == null
                      ? "no picture"
                      : "%d x %d px".formatted(image.getWidth(), image.getHeight())));
    }
    List<Thumbnail> references = new ArrayList<>();
    for (int i = 0; i < captions.size(); i++) {
      references.add(
          Thumbnail.of(
              image.getSubimage(
                  i % COLUMNS * Thumbnail.SIDE,
                  i / COLUMNS * Thumbnail.SIDE,
                  Thumbnail.SIDE,
                  Thumbnail.SIDE)));
    }
    return new PictureSet(captions, references, MeasurementFile.checksum(atlas));
  }

  /** Indices of some names, evenly spaced over the list. */
  public List<Integer> evenly(int count) {
    List<Integer> chosen = new ArrayList<>();
    for (int k = 0; k < Math.min(count, names.size()); k++) {
      chosen.add((int) ((long) k * names.size() / Math.min(count, names.size())));
    }
    return chosen;
  }

  /** Tells whether the nearest picture of the set is the named one, or one of the same stem. */
  public boolean recognises(Thumbnail picture, int name) {
    int nearest = 0;
    for (int i = 1; i < references.size(); i++) {
      if (picture.distance(references.get(i)) < picture.distance(references.get(nearest))) {
        nearest = i;
      }
    }
    Set<String> known = names.stream().collect(Collectors.toSet());
    return stem(names.get(nearest), known).equals(stem(names.get(name), known));
  }

  /** What stands before " with ", and without a final " face" where that is a name too. */
  public static String stem(String name, Set<String> known) {
    int with = name.indexOf(" with ");
    String stem = with < 0 ? name : name.substring(0, with);
    String bare = stem.endsWith(" face") ? stem.substring(0, stem.length() - 5) : stem;
    return known.contains(bare) ? bare : stem;
  }
}
