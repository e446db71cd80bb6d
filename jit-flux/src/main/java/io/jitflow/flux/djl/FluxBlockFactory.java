package io.jitflow.flux.djl;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.FluxPipeline;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;

/**
 * Loads a bundle as the block of a DJL model, on the model's device. The pipeline ends with the
 * model.
 *
 * <p>Arguments, all of which may be absent: {@code memory}, the name of a {@link MemoryPolicy};
 * {@code cachedPrompts}, a number.
 */
public final class FluxBlockFactory implements BlockFactory {

  private static final long serialVersionUID = 1L;

  /** For DJL, which makes it from its name. */
  public FluxBlockFactory() {}

  /**
   * {@inheritDoc}
   *
   * @throws IOException if the bundle is incomplete or damaged
   * @throws IllegalArgumentException if an argument is out of range
   */
  @Override
  public Block newBlock(Model model, Path modelPath, Map<String, ?> arguments) throws IOException {
    Arguments.settings(arguments); // refused here, since the translator comes after the loading
    FluxOptions options = FluxOptions.defaults().withDevice(model.getNDManager().getDevice());
    if (arguments.get("memory") != null) {
      options = options.withMemory(memory(arguments.get("memory").toString()));
    }
    if (arguments.get("cachedPrompts") != null) {
      options = options.withCachedPrompts(Arguments.integer(arguments, "cachedPrompts"));
    }
    FluxPipeline pipeline = FluxPipeline.load(modelPath, options);
    model.getNDManager().attachInternal(UUID.randomUUID().toString(), pipeline);
    return new FluxBlock(pipeline);
  }

  private static MemoryPolicy memory(String name) {
    for (MemoryPolicy policy : MemoryPolicy.values()) {
      if (policy.name().equalsIgnoreCase(name)) {
        return policy;
      }
    }
    throw new IllegalArgumentException(
        "memory: expected one of %s, found '%s'"
            .formatted(Arrays.toString(MemoryPolicy.values()), name));
  }
}
