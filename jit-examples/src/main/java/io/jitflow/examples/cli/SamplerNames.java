package io.jitflow.examples.cli;

import io.jitflow.examples.bench.NamedSampler;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** Choosing samplers by their names, with {@code --only}. */
final class SamplerNames {
  private SamplerNames() {}

  /**
   * The samplers whose name matches.
   *
   * @param only what is to be found in a name
   * @param all the samplers that there are
   * @param command the command, for its error message
   * @return at least one
   * @throws ParameterException if no name matches
   */
  static List<NamedSampler> matching(Pattern only, List<NamedSampler> all, CommandLine command) {
    List<NamedSampler> chosen =
        all.stream().filter(named -> only.matcher(named.name()).find()).toList();
    if (chosen.isEmpty()) {
      throw new ParameterException(
          command,
          "--only matches the name of no sampler, got '%s'; there are: %s"
              .formatted(
                  only, all.stream().map(NamedSampler::name).collect(Collectors.joining("; "))));
    }
    return chosen;
  }
}
