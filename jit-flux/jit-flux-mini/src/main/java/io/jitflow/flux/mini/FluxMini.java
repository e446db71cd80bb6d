package io.jitflow.flux.mini;

import io.jitflow.flux.convert.ConversionListener;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.file.BrokenFileException;
import io.jitflow.flux.weights.DType;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * flux-mini: all parts of FLUX.1 in small, trained to draw 1,004 emoji by their names, such as "red
 * apple", at 256 and 512 px.
 *
 * <p>The jar carries the checkpoint; it is converted to float32 on first use, which takes a few
 * seconds and 50 MB of disk. Thread-safe.
 */
public final class FluxMini {
  private static final List<String> FILES =
      List.of(
          "model_index.json",
          "scheduler/scheduler_config.json",
          "text_encoder/config.json",
          "text_encoder/model.safetensors",
          "text_encoder_2/config.json",
          "text_encoder_2/model.safetensors",
          "tokenizer/merges.txt",
          "tokenizer/tokenizer.json",
          "tokenizer/tokenizer_config.json",
          "tokenizer/vocab.json",
          "tokenizer_2/tokenizer.json",
          "tokenizer_2/tokenizer_config.json",
          "transformer/config.json",
          "transformer/diffusion_pytorch_model.safetensors",
          "vae/config.json",
          "vae/diffusion_pytorch_model.safetensors");

  private static Path shared;

  private FluxMini() {}

  /**
   * A bundle in a temporary folder, which is removed when this JVM ends. The same one for every
   * caller in this JVM.
   *
   * @return the bundle's folder
   * @throws IOException if it cannot be written
   */
  public static synchronized Path bundle() throws IOException {
    if (shared == null) {
      Path folder = Files.createTempDirectory("flux-mini-");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
      shared = bundle(folder.resolve("bundle"));
    }
    return shared;
  }

  /**
   * A bundle in a folder that stays, made unless it is there already.
   *
   * @param target the bundle's folder; its parent is made if necessary
   * @return the same folder
   * @throws IOException if it cannot be written, or the folder holds something else
   */
  public static Path bundle(Path target) throws IOException {
    if (isBundle(target)) {
      return target;
    }
    Path checkpoint = Files.createTempDirectory("flux-mini-checkpoint-");
    try {
      for (String name : FILES) {
        unpack(name, checkpoint.resolve(name));
      }
      FluxConverter.convert(
          FluxCheckpoint.ofDirectory(checkpoint),
          target,
          ConversionOptions.defaults().withDtype(DType.F32),
          ConversionListener.NONE);
    } catch (BrokenFileException e) {
      if (!isBundle(target)) { // else another process made it meanwhile
        throw e;
      }
    } finally {
      delete(checkpoint);
    }
    return target;
  }

  private static boolean isBundle(Path folder) {
    return Files.isRegularFile(folder.resolve("manifest.json"));
  }

  private static void unpack(String name, Path file) throws IOException {
    Files.createDirectories(file.getParent());
    try (InputStream in = FluxMini.class.getResourceAsStream("checkpoint/" + name)) {
      if (in == null) {
        throw new FileNotFoundException(
            "the jar of jit-flux-mini lacks checkpoint/"
                + name
                + "; use the published one, or build it with Maven");
      }
      Files.copy(in, file);
    }
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("could not remove " + folder, e);
    }
  }
}
