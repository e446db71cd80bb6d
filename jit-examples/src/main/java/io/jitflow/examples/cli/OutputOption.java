package io.jitflow.examples.cli;

import io.jitflow.flux.image.GeneratedImages;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Where pictures go, checked before the work begins. */
final class OutputOption {

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE.png",
      defaultValue = "image.png",
      description = "The file to write; several images get -0, -1, ... Default: ${DEFAULT-VALUE}.")
  private Path file;

  @Option(names = "--overwrite", description = "Replace files that exist.")
  private boolean overwrite;

  /**
   * The file as given.
   *
   * @param count the number of images that will be saved under this name
   * @throws IllegalArgumentException if they could not be saved
   */
  Path file(int count) {
    checkFree(GeneratedImages.files(file, count));
    return file;
  }

  /** The file as given with words added to its name, for pictures that go with it. */
  Path companion(String words) {
    String name = GeneratedImages.files(file, 1).get(0).getFileName().toString();
    String stem = name.substring(0, name.length() - ".png".length());
    Path companion = file.resolveSibling(stem + "-" + words + ".png");
    checkFree(List.of(companion));
    return companion;
  }

  private void checkFree(List<Path> files) {
    for (Path path : files) {
      checkWritable("output", path);
      if (Files.exists(path) && !overwrite) {
        throw new IllegalArgumentException(
            path + " exists; choose another --output or give --overwrite");
      }
    }
  }

  /**
   * Checks that a file can be written in its folder, as the wrong use of a command if not.
   *
   * @param what what it is, in a word
   * @param command whose option it is
   */
  static void checkWritable(String what, Path path, CommandLine command) {
    try {
      checkWritable(what, path);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command, e.getMessage(), e);
    }
  }

  /**
   * Checks that a file can be written in its folder.
   *
   * @param what what it is, in a word
   * @throws IllegalArgumentException if it cannot
   */
  static void checkWritable(String what, Path path) {
    Path folder = path.toAbsolutePath().getParent();
    if (folder == null || Files.isDirectory(path)) {
      throw new IllegalArgumentException(
          "the %s is a folder, expected a file: %s".formatted(what, path.toAbsolutePath()));
    }
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "the %s folder does not exist: %s; make it, or name another".formatted(what, folder));
    }
    if (!Files.isWritable(folder)) {
      throw new IllegalArgumentException("no permission to write into " + folder);
    }
  }
}
