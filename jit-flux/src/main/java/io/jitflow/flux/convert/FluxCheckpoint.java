package io.jitflow.flux.convert;

import io.jitflow.flux.file.BrokenFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where the parts of a downloaded FLUX.1 model lie. Weights are a {@code .safetensors} file, an
 * index of shards, or a folder with one of them; each part may have either published layout.
 *
 * @param transformer weights of the velocity network
 * @param transformerConfig its {@code config.json}, if it is not beside the weights
 * @param ropeAxes how the rotary embedding divides a head, for weights without configuration whose
 *     heads have not FLUX.1's 128 channels
 * @param vae weights of the autoencoder
 * @param vaeConfig its {@code config.json}, if it is not beside the weights
 * @param textEncoder folder of the CLIP text encoder
 * @param textEncoder2 folder of the T5 encoder
 * @param tokenizer folder of CLIP's tokenizer
 * @param tokenizer2 folder of T5's tokenizer
 * @param scheduler folder with {@code scheduler_config.json}; if absent, FLUX.1-dev's settings are
 *     taken for a transformer with guidance embedding and FLUX.1-schnell's for one without
 */
public record FluxCheckpoint(
    Path transformer,
    Optional<Path> transformerConfig,
    Optional<List<Integer>> ropeAxes,
    Path vae,
    Optional<Path> vaeConfig,
    Path textEncoder,
    Path textEncoder2,
    Path tokenizer,
    Path tokenizer2,
    Optional<Path> scheduler) {
  private static final String INDEX = "model_index.json";

  /**
   * Checks that no part is null; no file is looked at.
   *
   * @param transformer a file, an index or a folder
   * @param transformerConfig a file, or empty
   * @param ropeAxes copied
   * @param vae a file, an index or a folder
   * @param vaeConfig a file, or empty
   * @param textEncoder a folder
   * @param textEncoder2 a folder
   * @param tokenizer a folder
   * @param tokenizer2 a folder
   * @param scheduler a folder, or empty
   */
  public FluxCheckpoint {
    Objects.requireNonNull(transformer, "transformer");
    Objects.requireNonNull(transformerConfig, "transformerConfig");
    ropeAxes = ropeAxes.map(List::copyOf);
    Objects.requireNonNull(vae, "vae");
    Objects.requireNonNull(vaeConfig, "vaeConfig");
    Objects.requireNonNull(textEncoder, "textEncoder");
    Objects.requireNonNull(textEncoder2, "textEncoder2");
    Objects.requireNonNull(tokenizer, "tokenizer");
    Objects.requireNonNull(tokenizer2, "tokenizer2");
    Objects.requireNonNull(scheduler, "scheduler");
  }

  /**
   * A diffusers folder, as the FLUX.1 models are published: {@code model_index.json} and a folder
   * for each part.
   *
   * @param folder the download
   * @return the checkpoint
   * @throws BrokenFileException if the folder is not a diffusers FLUX.1 model
   * @throws IOException if it cannot be read
   */
  public static FluxCheckpoint ofDirectory(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new CheckpointException(
          folder
              + ": expected the folder of a downloaded FLUX.1 model, found "
              + (Files.exists(folder) ? "a file" : "nothing")
              + "; check the path");
    }
    if (!Files.exists(folder.resolve(INDEX))) {
      throw new CheckpointException(
          folder
              + ": expected a diffusers model with "
              + INDEX
              + ", found none; name the folder that holds it, or give the original files one by"
              + " one");
    }
    ConfigFile index = ConfigFile.read(folder.resolve(INDEX));
    String pipeline = index.string("_class_name").orElse("nothing");
    if (!pipeline.equals("FluxPipeline")) {
      throw index.wrong("_class_name", "FluxPipeline", pipeline);
    }
    return of(
        folder.resolve("transformer"),
        folder.resolve("vae"),
        folder,
        Optional.of(folder.resolve("scheduler")));
  }

  /**
   * The original single files, with the text encoders from a folder in the diffusers layout.
   *
   * @param transformer for example {@code flux1-dev.safetensors}
   * @param autoencoder for example {@code ae.safetensors}
   * @param textEncoders folder with {@code text_encoder}, {@code text_encoder_2}, {@code tokenizer}
   *     and {@code tokenizer_2}
   * @return the checkpoint; its scheduler is that in the folder, if there is one
   */
  public static FluxCheckpoint ofOriginalFiles(
      Path transformer, Path autoencoder, Path textEncoders) {
    Path scheduler = textEncoders.resolve("scheduler");
    return of(
        transformer,
        autoencoder,
        textEncoders,
        Files.isDirectory(scheduler) ? Optional.of(scheduler) : Optional.empty());
  }

  /** Text encoders and tokenizers from a folder in the diffusers layout. */
  private static FluxCheckpoint of(
      Path transformer, Path vae, Path folder, Optional<Path> scheduler) {
    return new FluxCheckpoint(
        transformer,
        Optional.empty(),
        Optional.empty(),
        vae,
        Optional.empty(),
        folder.resolve("text_encoder"),
        folder.resolve("text_encoder_2"),
        folder.resolve("tokenizer"),
        folder.resolve("tokenizer_2"),
        scheduler);
  }

  /**
   * Takes the transformer from elsewhere.
   *
   * @param weights file, index or folder
   * @return a copy without configuration file and axes
   */
  public FluxCheckpoint withTransformer(Path weights) {
    return with(
        draft -> {
          draft.transformer = weights;
          draft.transformerConfig = Optional.empty();
          draft.ropeAxes = Optional.empty();
        });
  }

  /**
   * Takes the transformer's configuration from a file.
   *
   * @param config a diffusers {@code config.json}; of original files only {@code axes_dims_rope} is
   *     used
   * @return a copy
   */
  public FluxCheckpoint withTransformerConfig(Path config) {
    return with(draft -> draft.transformerConfig = Optional.of(config));
  }

  /**
   * Says how the rotary embedding divides a head.
   *
   * @param axes channels for the first id, the row and the column
   * @return a copy
   */
  public FluxCheckpoint withRopeAxes(List<Integer> axes) {
    return with(draft -> draft.ropeAxes = Optional.of(axes));
  }

  /**
   * Takes the autoencoder from elsewhere.
   *
   * @param weights file, index or folder
   * @return a copy without configuration file
   */
  public FluxCheckpoint withVae(Path weights) {
    return with(
        draft -> {
          draft.vae = weights;
          draft.vaeConfig = Optional.empty();
        });
  }

  /**
   * Takes the autoencoder's configuration from a file.
   *
   * @param config a diffusers {@code config.json}; of original files only {@code norm_num_groups},
   *     {@code scaling_factor} and {@code shift_factor} are used
   * @return a copy
   */
  public FluxCheckpoint withVaeConfig(Path config) {
    return with(draft -> draft.vaeConfig = Optional.of(config));
  }

  private FluxCheckpoint with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.checkpoint();
  }

  private static final class Draft {
    Path transformer;
    Optional<Path> transformerConfig;
    Optional<List<Integer>> ropeAxes;
    Path vae;
    Optional<Path> vaeConfig;
    Path textEncoder;
    Path textEncoder2;
    Path tokenizer;
    Path tokenizer2;
    Optional<Path> scheduler;

    Draft(FluxCheckpoint from) {
      transformer = from.transformer;
      transformerConfig = from.transformerConfig;
      ropeAxes = from.ropeAxes;
      vae = from.vae;
      vaeConfig = from.vaeConfig;
      textEncoder = from.textEncoder;
      textEncoder2 = from.textEncoder2;
      tokenizer = from.tokenizer;
      tokenizer2 = from.tokenizer2;
      scheduler = from.scheduler;
    }

    FluxCheckpoint checkpoint() {
      return new FluxCheckpoint(
          transformer,
          transformerConfig,
          ropeAxes,
          vae,
          vaeConfig,
          textEncoder,
          textEncoder2,
          tokenizer,
          tokenizer2,
          scheduler);
    }
  }
}
