package io.jitflow.examples.cli;

import io.jitflow.flux.FluxPipeline;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The option that names a bundle, for the commands that measure. */
final class BundleOption {
  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "FOLDER",
      description = "A bundle.")
  private Path folder;

  FluxPipeline load() throws IOException {
    return FluxPipeline.load(folder);
  }
}
