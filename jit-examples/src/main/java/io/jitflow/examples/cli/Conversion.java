package io.jitflow.examples.cli;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionListener.Progress.Step;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import java.io.IOException;
import java.nio.file.Path;

/** A conversion that shows its progress and that Ctrl-C ends. */
final class Conversion {

  private Conversion() {}

  static FluxBundle run(
      FluxCheckpoint checkpoint, Path target, ConversionOptions options, Interrupt interrupt)
      throws IOException {
    interrupt.cleansUp();
    try (Progress progress = new Progress()) {
      progress.bytes("convert", 0);
      return FluxBundle.read(
          FluxConverter.convert(
              checkpoint,
              target,
              options,
              step -> {
                interrupt.check();
                progress.max(step.bytesTotal());
                progress.to(step.bytesDone());
                progress.note(
                    (step.step() == Step.CHECKSUM ? "checksum " : "write ") + step.network().key());
              }));
    }
  }
}
