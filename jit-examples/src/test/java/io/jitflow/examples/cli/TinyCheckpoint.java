package io.jitflow.examples.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** A FLUX.1 checkpoint in the diffusers layout with tiny random networks, from the fixtures. */
final class TinyCheckpoint {

  private static final Path PARITY = Path.of(System.getProperty("jit.fixtures"), "parity");

  private TinyCheckpoint() {}

  static Path dev(Path folder) throws IOException {
    Map<String, String> parts =
        Map.of(
            "transformer", "flux-tiny-transformer/dev/transformer",
            "vae", "flux-tiny-vae/tiny/vae",
            "text_encoder", "clip-tiny/text_encoder",
            "text_encoder_2", "t5-tiny/text_encoder_2",
            "tokenizer", "tokenizers/clip",
            "tokenizer_2", "tokenizers/t5");
    for (Map.Entry<String, String> part : parts.entrySet()) {
      copy(PARITY.resolve(part.getValue()), folder.resolve(part.getKey()));
    }
    Path scheduler = Files.createDirectories(folder.resolve("scheduler"));
    Files.writeString(
        scheduler.resolve("scheduler_config.json"),
        "{\"_class_name\":\"FlowMatchEulerDiscreteScheduler\",\"base_image_seq_len\":256,"
            + "\"base_shift\":0.5,\"max_image_seq_len\":4096,\"max_shift\":1.15,\"shift\":3.0,"
            + "\"use_dynamic_shifting\":true}");
    Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\":\"FluxPipeline\"}");
    return folder;
  }

  static Path singleFile() {
    return PARITY.resolve("flux-tiny-transformer/schnell/bfl.safetensors");
  }

  static Path autoencoderFile() {
    return PARITY.resolve("flux-tiny-vae/tiny/bfl-ae.safetensors");
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }
}
