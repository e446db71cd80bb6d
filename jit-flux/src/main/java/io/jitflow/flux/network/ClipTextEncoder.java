package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The CLIP text encoder. FLUX.1 uses its pooled embedding only.
 *
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight. Results cannot be
 * changed in place (libtorch makes them inference tensors); {@code duplicate()} gives one that can.
 */
public final class ClipTextEncoder extends Network<ClipArchitecture> implements AdaptableNetwork {
  private static final String WHAT = "CLIP text encoder";

  private ClipTextEncoder(ClipArchitecture architecture, LoadedModule module) {
    super(WHAT, architecture, module);
  }

  /**
   * Loads the network straight to a device.
   *
   * @param torchscript a file that {@code NetworkProgram} wrote, or any TorchScript module with the
   *     same {@code forward}
   * @param device where to run
   * @param architecture the sizes that the file was made for
   * @return the network
   * @throws IOException if the file is missing or is not TorchScript for this engine
   */
  public static ClipTextEncoder load(Path torchscript, Device device, ClipArchitecture architecture)
      throws IOException {
    return load(ModuleFile.of(torchscript), device, architecture);
  }

  /**
   * Loads the network with its weights where they are wanted, else as from a path.
   *
   * @param file the module and its weights
   * @return the network
   * @throws IOException if the file is missing or is not TorchScript for this engine
   */
  public static ClipTextEncoder load(ModuleFile file, Device device, ClipArchitecture architecture)
      throws IOException {
    return new ClipTextEncoder(architecture, LoadedModule.load(WHAT, file, device));
  }

  /**
   * Encodes token ids.
   *
   * @param inputIds padded token ids, INT64 {@code [batch, tokens]}, at most {@code positions}
   *     tokens; not changed
   * @return both outputs, attached to the manager of {@code inputIds}
   * @throws IllegalArgumentException if the input has another shape, type or device, is too long,
   *     or holds an id outside the vocabulary
   * @throws IllegalStateException after {@link #close}
   */
  public Encoding encode(NDArray inputIds) {
    module.requireOpen();
    boundary.requireIds(inputIds, architecture.vocabulary(), architecture.positions());
    long batch = inputIds.getShape().get(0);
    long tokens = inputIds.getShape().get(1);
    NDList out = module.forward(inputIds);
    if (out.size() != 2) {
      String message = WHAT + " must return hidden state and pooled embedding, got " + out.size();
      out.close();
      throw new IllegalStateException(message);
    }
    return new Encoding(
        Results.checked(WHAT, out, 0, new Shape(batch, tokens, architecture.width())),
        Results.checked(WHAT, out, 1, new Shape(batch, architecture.width())));
  }

  @Override
  public void addProduct(String tensor, long firstRow, NDArray up, NDArray down) {
    module.addProduct(tensor, firstRow, up, down);
  }

  /**
   * What the encoder computes.
   *
   * @param lastHiddenState after the final layer norm, FLOAT32 {@code [batch, tokens, width]}
   * @param pooled its row at the end of the text, FLOAT32 {@code [batch, width]}
   */
  public record Encoding(NDArray lastHiddenState, NDArray pooled) implements AutoCloseable {
    /** Frees both arrays. */
    @Override
    public void close() {
      lastHiddenState.close();
      pooled.close();
    }
  }
}
