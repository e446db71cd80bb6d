package io.jitflow.flux.fuzz;

import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.safetensors.TensorFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;

/** Which shard holds which weights: {@code .safetensors.index.json}. */
class ShardIndexFuzzTest extends ForeignFile {
  private static final Path SHARDED =
      Fixtures.folder("parity/flux-tiny-transformer/schnell/transformer");

  @BeforeAll
  static void copyShards() throws IOException {
    try (Stream<Path> files = Files.list(SHARDED)) {
      for (Path file : files.toList()) {
        Files.copy(file, scratch.resolve(file.getFileName()));
      }
    }
  }

  @Override
  Path file() {
    return scratch.resolve("diffusion_pytorch_model.safetensors.index.json");
  }

  @Override
  void read() throws IOException {
    TensorFiles.open(scratch).close();
  }

  @Override
  byte[] whole() throws IOException {
    return Files.readAllBytes(SHARDED.resolve(file().getFileName()));
  }

  @Override
  int head() {
    return 2000;
  }
}
