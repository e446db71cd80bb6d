package io.jitflow.flux.fuzz;

import io.jitflow.flux.TinyBundle;
import io.jitflow.flux.bundle.FluxBundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;

/** The manifest of a bundle: {@code manifest.json}. */
class ManifestFuzzTest extends ForeignFile {
  private static Path bundle;
  private static byte[] seed;

  @BeforeAll
  static void convert() throws IOException {
    bundle = TinyBundle.dev(scratch);
    seed = Files.readAllBytes(bundle.resolve(FluxBundle.MANIFEST));
  }

  @Override
  Path file() {
    return bundle.resolve(FluxBundle.MANIFEST);
  }

  @Override
  void read() throws IOException {
    FluxBundle.read(bundle);
  }

  @Override
  byte[] whole() throws IOException {
    return seed.clone();
  }
}
