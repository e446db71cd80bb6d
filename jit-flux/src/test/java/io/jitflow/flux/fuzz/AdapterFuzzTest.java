package io.jitflow.flux.fuzz;

import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.weights.LoraAdapter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** An adapter: LoRA in {@code .safetensors}. */
class AdapterFuzzTest extends ForeignFile {
  @Override
  Path file() {
    return scratch.resolve("adapter.safetensors");
  }

  @Override
  void read() throws IOException {
    FluxConverter.plan(
        FluxCheckpoint.ofDirectory(Fixtures.folder("flux-mini")),
        ConversionOptions.defaults().withAdapters(List.of(LoraAdapter.of(file()))));
  }

  @Override
  byte[] whole() throws IOException {
    return Files.readAllBytes(Fixtures.folder("flux-mini/lora/bfl.safetensors"));
  }

  @Override
  int rounds() {
    return super.rounds() / 3;
  }
}
