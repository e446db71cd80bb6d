package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The decoder of the FLUX.1 autoencoder.
 *
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight.
 */
public final class VaeDecoder implements AutoCloseable {
  private static final String WHAT = "VAE decoder";

  private final VaeArchitecture architecture;
  private final LoadedModule module;
  private final Boundary boundary;

  private VaeDecoder(VaeArchitecture architecture, LoadedModule module) {
    this.architecture = architecture;
    this.module = module;
    this.boundary = new Boundary(WHAT, module.device());
  }

  /**
   * Loads the network straight to a device.
   *
   * @param torchscript a file that {@link NetworkProgram} wrote, or any TorchScript module with the
   *     same {@code forward}
   * @param device where to run
   * @param architecture the sizes that the file was made for
   * @return the network
   * @throws IOException if the file is missing or is not TorchScript for this engine
   */
  public static VaeDecoder load(Path torchscript, Device device, VaeArchitecture architecture)
      throws IOException {
    return new VaeDecoder(architecture, LoadedModule.load(WHAT, torchscript, device));
  }

  /**
   * The sizes.
   *
   * @return the architecture given to {@link #load}
   */
  public VaeArchitecture architecture() {
    return architecture;
  }

  /**
   * Where the network runs and its inputs must be.
   *
   * @return the device
   */
  public Device device() {
    return module.device();
  }

  /**
   * Decodes latents in one piece.
   *
   * @param latent latents as the sampler leaves them (scaling and shift are undone inside), FLOAT32
   *     {@code [batch, latentChannels, rows, columns]}; not changed
   * @return the image, nominally in [-1, 1] and not clipped, FLOAT32 {@code [batch, 3, scale *
   *     rows, scale * columns]}, attached to the manager of {@code latent}
   * @throws IllegalArgumentException if the input has another shape, type or device
   * @throws IllegalStateException after {@link #close}
   */
  public NDArray decode(NDArray latent) {
    module.requireOpen();
    boundary.require("latent", latent, DataType.FLOAT32, -1, architecture.latentChannels(), -1, -1);
    Shape shape = latent.getShape();
    int scale = architecture.scale();
    NDList out = module.forward(latent);
    return Results.only(
        WHAT, out, new Shape(shape.get(0), 3, shape.get(2) * scale, shape.get(3) * scale));
  }

  /** Waits for calls in flight and frees the weights. Further calls have no effect. */
  @Override
  public void close() {
    module.close();
  }
}
