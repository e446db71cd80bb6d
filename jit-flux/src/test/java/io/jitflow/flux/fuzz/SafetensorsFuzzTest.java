package io.jitflow.flux.fuzz;

import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Weights: {@code .safetensors}. */
class SafetensorsFuzzTest extends ForeignFile {
  @Override
  Path file() {
    return scratch.resolve("one.safetensors");
  }

  @Override
  void read() throws IOException {
    SafetensorsFile.open(file()).close();
  }

  @Override
  byte[] whole() throws IOException {
    return Files.readAllBytes(
        Fixtures.folder("parity/flux-tiny-transformer/schnell/bfl.safetensors"));
  }
}
