package io.jitflow.flux.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.EngineException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadedModuleTest {
  @TempDir Path folder;

  @Test
  void load_whereMemoryEndsOrTheDeviceFails_saysSoAndNotThatTheFileIsDamaged() throws IOException {
    Path file = Files.write(folder.resolve("transformer.pt"), new byte[10]);
    for (String said :
        new String[] {
          "[enforce fail at alloc_cpu.cpp:115] . DefaultCPUAllocator: can't allocate memory: you"
              + " tried to allocate 23802816512 bytes. Error code 12 (Cannot allocate memory)",
          "CUDA out of memory. Tried to allocate 72.00 MiB",
          "std::bad_alloc"
        }) {
      assertThatThrownBy(
              () -> LoadedModule.failure("FLUX transformer", file, new EngineException(said)))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("out of memory while loading the FLUX transformer from " + file)
          .hasStackTraceContaining(said);
    }
    for (String said :
        new String[] {
          "CUDA error: invalid device ordinal",
          "PyTorch is not linked with support for cuda devices\nException raised from getDeviceGuard"
        }) {
      assertThatThrownBy(
              () -> LoadedModule.failure("FLUX transformer", file, new EngineException(said)))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("the device failed while loading the FLUX transformer from " + file)
          .hasStackTraceContaining(said);
    }
    IOException damaged =
        LoadedModule.failure("FLUX transformer", file, new EngineException("unexpected EOF"));
    assertThat(damaged).hasMessageContaining("is not a TorchScript file");
    String frames =
        """
        PytorchStreamReader failed reading zip archive: not a ZIP archive
        Exception raised from valid (most recent call first):
        frame #0: c10::Error::Error in /usr/local/cuda/lib64/libc10.so""";
    assertThat(LoadedModule.failure("FLUX transformer", file, new EngineException(frames)))
        .hasMessageContaining("is not a TorchScript file");
  }
}
