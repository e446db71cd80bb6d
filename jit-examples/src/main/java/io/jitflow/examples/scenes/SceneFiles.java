package io.jitflow.examples.scenes;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Draws many scenes into files for training programs.
 *
 * <p>{@code NAME.rgb} holds the pictures one after another, red, green, blue, one byte each; {@code
 * NAME.json} a list of objects with the seed, the position of every attribute's value and the
 * captions; {@code attributes.json} the attributes and their values. Each is written beside its
 * place, as {@code *.part}, and moved there when it is whole, the second one last: with it, all are
 * there. A process that is killed leaves its {@code *.part}.
 */
public final class SceneFiles {
  private static final int CAPTIONS = 4;

  private SceneFiles() {}

  /**
   * Draws the scenes of a range of seeds.
   *
   * @param args folder, name, width, height, first seed, count
   * @throws IOException if a file cannot be written
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 6) {
      throw new IllegalArgumentException(
          "expected FOLDER NAME WIDTH HEIGHT FIRST_SEED COUNT, got " + List.of(args));
    }
    write(
        Path.of(args[0]),
        args[1],
        Integer.parseInt(args[2]),
        Integer.parseInt(args[3]),
        Long.parseLong(args[4]),
        Integer.parseInt(args[5]));
  }

  /**
   * Draws the scenes of a range of seeds.
   *
   * @param folder where to write; made if missing
   * @param name of the files, without ending
   * @param width in pixels
   * @param height in pixels
   * @param firstSeed the first seed
   * @param count how many seeds
   * @throws IOException if a file cannot be written
   */
  public static void write(
      Path folder, String name, int width, int height, long firstSeed, int count)
      throws IOException {
    Files.createDirectories(folder);
    List<String> lines = new ArrayList<>();
    replace(
        folder.resolve(name + ".rgb"),
        pictures -> {
          for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            Scene scene = Scene.of(seed);
            pictures.write(SceneRenderer.render(scene, width, height));
            lines.add(json(scene));
          }
        });
    List<String> attributes = new ArrayList<>();
    for (Attribute attribute : Attribute.values()) {
      List<String> labels =
          attribute.choices().stream().map(value -> '"' + value.label() + '"').toList();
      attributes.add(
          "{\"name\": \"%s\", \"values\": [%s]}".formatted(attribute, String.join(", ", labels)));
    }
    replace(folder.resolve("attributes.json"), out -> out.write(list(attributes)));
    replace(folder.resolve(name + ".json"), out -> out.write(list(lines)));
  }

  /** Puts a file in its place whole or not at all; another process may write the same one. */
  private static void replace(Path file, Content content) throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".part");
    try {
      try (OutputStream out =
          new BufferedOutputStream(
              Files.newOutputStream(unfinished, StandardOpenOption.CREATE_NEW), 1 << 20)) {
        content.writeTo(out);
      }
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Captions hold letters, spaces and commas only: nothing to escape. */
  private static String json(Scene scene) {
    List<String> values = new ArrayList<>();
    for (Attribute attribute : Attribute.values()) {
      values.add(Integer.toString(scene.value(attribute)));
    }
    List<String> captions = new ArrayList<>();
    for (int variant = 0; variant < CAPTIONS; variant++) {
      captions.add('"' + Caption.of(scene, variant).text() + '"');
    }
    return "{\"seed\": %s, \"values\": [%s], \"captions\": [%s]}"
        .formatted(scene.seed(), String.join(", ", values), String.join(", ", captions));
  }

  private static byte[] list(List<String> lines) {
    return ("[\n" + String.join(",\n", lines) + "\n]\n").getBytes(StandardCharsets.UTF_8);
  }
}
