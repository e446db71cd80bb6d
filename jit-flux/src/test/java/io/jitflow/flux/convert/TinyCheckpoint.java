package io.jitflow.flux.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The small networks of the parity sets, put together to checkpoints in both layouts. */
public final class TinyCheckpoint {
  private static final Path PARITY = Path.of(System.getProperty("jit.fixtures"), "parity");

  private TinyCheckpoint() {}

  /** A path in the parity sets. */
  public static Path parity(String path) {
    return PARITY.resolve(path);
  }

  /** Copies a diffusers folder together; {@code variant} is dev or schnell. */
  public static Path diffusers(Path folder, String variant) throws IOException {
    Files.createDirectories(folder);
    copy(
        parity("flux-tiny-transformer/" + variant + "/transformer"), folder.resolve("transformer"));
    copy(parity("flux-tiny-vae/tiny/vae"), folder.resolve("vae"));
    textEncoders(folder);
    Files.createDirectory(folder.resolve("scheduler"));
    Files.writeString(
        folder.resolve("scheduler/scheduler_config.json"),
        variant.equals("dev")
            ? "{\"_class_name\":\"FlowMatchEulerDiscreteScheduler\",\"base_image_seq_len\":256,"
                + "\"base_shift\":0.5,\"max_image_seq_len\":4096,\"max_shift\":1.15,\"shift\":3.0,"
                + "\"use_dynamic_shifting\":true}"
            : "{\"_class_name\":\"FlowMatchEulerDiscreteScheduler\",\"shift\":1.0,"
                + "\"use_dynamic_shifting\":false}");
    Files.writeString(folder.resolve("model_index.json"), "{\"_class_name\":\"FluxPipeline\"}");
    return folder;
  }

  /** Copies text encoders and tokenizers together. */
  static Path textEncoders(Path folder) throws IOException {
    copy(parity("clip-tiny/text_encoder"), folder.resolve("text_encoder"));
    copy(parity("t5-tiny/text_encoder_2"), folder.resolve("text_encoder_2"));
    copy(parity("tokenizers/clip"), folder.resolve("tokenizer"));
    copy(parity("tokenizers/t5"), folder.resolve("tokenizer_2"));
    return folder;
  }

  /** The original files, with the text encoders that lie in {@code folder}. */
  static FluxCheckpoint original(Path folder, String variant) {
    return FluxCheckpoint.ofOriginalFiles(
            parity("flux-tiny-transformer/" + variant + "/bfl.safetensors"),
            parity("flux-tiny-vae/tiny/bfl-ae.safetensors"),
            folder)
        .withRopeAxes(List.of(4, 6, 6));
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
