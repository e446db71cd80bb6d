package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The T5 v1.1 encoder. Padding takes part in attention, as FLUX.1 was trained.
 *
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight. Results cannot be
 * changed in place (libtorch makes them inference tensors); {@code duplicate()} gives one that can.
 */
public final class T5TextEncoder extends Network<T5Architecture> implements AdaptableNetwork {
  private static final String WHAT = "T5 encoder";

  private T5TextEncoder(T5Architecture architecture, LoadedModule module) {
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
  public static T5TextEncoder load(Path torchscript, Device device, T5Architecture architecture)
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
  public static T5TextEncoder load(ModuleFile file, Device device, T5Architecture architecture)
      throws IOException {
    return new T5TextEncoder(architecture, LoadedModule.load(WHAT, file, device));
  }

  /**
   * Encodes token ids.
   *
   * @param inputIds padded token ids, INT64 {@code [batch, tokens]}, of any length; not changed
   * @return the embeddings, FLOAT32 {@code [batch, tokens, width]}, attached to the manager of
   *     {@code inputIds}
   * @throws IllegalArgumentException if the input has another shape, type or device, or holds an id
   *     outside the vocabulary
   * @throws IllegalStateException after {@link #close}
   */
  public NDArray encode(NDArray inputIds) {
    module.requireOpen();
    boundary.requireIds(inputIds, architecture.vocabulary(), Long.MAX_VALUE);
    Shape ids = inputIds.getShape();
    NDList out = module.forward(inputIds);
    return Results.only(WHAT, out, new Shape(ids.get(0), ids.get(1), architecture.width()));
  }

  @Override
  public void addProduct(String tensor, long firstRow, NDArray up, NDArray down) {
    module.addProduct(tensor, firstRow, up, down);
  }
}
