package io.jitflow.flux.network;

import io.jitflow.flux.safetensors.DType;
import io.jitflow.flux.safetensors.TensorFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Checkpoints whose tensor names are the programs' own. */
final class ParityWeights {
  private ParityWeights() {}

  /** Writes a program with a checkpoint's tensors, widened or rounded to a type. */
  static Path torchscript(NetworkProgram program, Path weights, DType dtype, Path scratch)
      throws IOException {
    Path file = Files.createTempFile(scratch, program.name(), ".pt");
    try (TensorFiles files = TensorFiles.open(weights)) {
      program.write(
          file,
          name -> {
            try {
              return HeapTensor.read(files, name, dtype);
            } catch (IOException e) {
              throw new AssertionError(e);
            }
          },
          bytes -> {});
    }
    return file;
  }
}
