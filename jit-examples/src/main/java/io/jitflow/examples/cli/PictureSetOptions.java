package io.jitflow.examples.cli;

import io.jitflow.examples.bench.PictureSet;
import io.jitflow.flux.FluxPipeline;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** The options that name a small model and the pictures that it was trained on. */
final class PictureSetOptions {
  @Spec(Target.MIXEE)
  private CommandSpec command;

  @Mixin private BundleOption bundle;

  @Option(
      names = "--names",
      required = true,
      paramLabel = "FILE",
      description = "The captions: a JSON list of objects with a \"name\".")
  private Path names;

  @Option(
      names = "--references",
      required = true,
      paramLabel = "FILE",
      description = "The pictures at 16 x 16 px, 32 to a row, in the order of the names.")
  private Path references;

  FluxPipeline load() throws IOException {
    return bundle.load();
  }

  /**
   * Reads the pictures.
   *
   * @param count how many of them the command wants
   */
  PictureSet read(int count) throws IOException {
    if (count < 1) {
      throw new ParameterException(
          command.commandLine(), "--count must be at least 1, got " + count);
    }
    return PictureSet.read(names, references);
  }
}
