package io.jitflow.examples.cli;

import io.jitflow.flux.convert.ConversionListener;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Path;

/** The trained small models of this repository. */
final class SmallModel {
  private SmallModel() {}

  static Path fixture(String name) {
    return Path.of(System.getProperty("jit.fixtures"), name);
  }

  /** Converts one to float32; returns the bundle, a new folder of that name. */
  static Path convert(String name, Path folder) throws IOException {
    Path bundle = folder.resolve(name);
    FluxConverter.convert(
        FluxCheckpoint.ofDirectory(fixture(name)),
        bundle,
        ConversionOptions.defaults().withDtype(DType.F32),
        ConversionListener.NONE);
    return bundle;
  }
}
