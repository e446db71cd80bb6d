package io.jitflow.flux;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionListener;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Bundles made by the converter for a comparison of numbers. */
public final class ParityBundle {
  private ParityBundle() {}

  /** Converts, into a new folder below the scratch folder. */
  public static FluxBundle convert(FluxCheckpoint checkpoint, DType dtype, Path scratch)
      throws IOException {
    return FluxBundle.read(
        FluxConverter.convert(
            checkpoint,
            Files.createTempDirectory(scratch, "parity").resolve("bundle"),
            ConversionOptions.defaults()
                .withDtype(dtype)
                .withChecksums(ConversionOptions.Checksums.NONE),
            ConversionListener.NONE));
  }
}
