package io.jitflow.examples.cli;

import io.jitflow.examples.bench.NamedSampler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** What the commands that compare samplers have in common. */
final class StudyOptions {
  /** With fewer an interval of 95 % leaves none out. */
  private static final int FEWEST_DRAWS = 40;

  @Spec(Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--only",
      defaultValue = ".*",
      paramLabel = "REGEX",
      description = "Only samplers whose name matches, beside 50 Euler steps.")
  private Pattern only;

  @Option(
      names = "--keep",
      paramLabel = "FOLDER",
      description =
          "Keep the measurements of each prompt there. A stopped study goes on from them, and"
              + " samplers may be added. On one kind of processor: others may compute in another type.")
  private Optional<Path> keep = Optional.empty();

  @Option(
      names = "--draws",
      defaultValue = "2000",
      paramLabel = "K",
      description =
          "How often to draw the prompts again for intervals of 95 %%. Default: ${DEFAULT-VALUE},"
              + " for which their ends are known to a fiftieth of the interval.")
  private int draws;

  /** Draws for an interval. */
  int draws() {
    if (draws < FEWEST_DRAWS) {
      throw new ParameterException(
          command.commandLine(),
          "--draws must be at least %d, got %d".formatted(FEWEST_DRAWS, draws));
    }
    return draws;
  }

  /** The folder of {@code --keep}, which is there. */
  Optional<Path> keep() {
    keep.filter(folder -> !Files.isDirectory(folder))
        .ifPresent(
            folder -> {
              throw new ParameterException(
                  command.commandLine(), "the folder of --keep does not exist: " + folder);
            });
    return keep;
  }

  /**
   * The rows of a study.
   *
   * @param first always one of them
   * @param others of which those whose name matches
   * @throws ParameterException if no name matches, not even that of the first
   */
  List<NamedSampler> samplers(NamedSampler first, List<NamedSampler> others) {
    List<NamedSampler> all = new ArrayList<>(List.of(first));
    all.addAll(others);
    List<NamedSampler> chosen = SamplerNames.matching(only, all, command.commandLine());
    return chosen.contains(first)
        ? chosen
        : Stream.concat(Stream.of(first), chosen.stream()).toList();
  }
}
