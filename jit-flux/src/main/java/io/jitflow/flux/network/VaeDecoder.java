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
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight. Results cannot be
 * changed in place (libtorch makes them inference tensors); {@code duplicate()} gives one that can.
 */
public final class VaeDecoder extends Network<VaeArchitecture> {
  private static final String WHAT = "VAE decoder";

  private VaeDecoder(VaeArchitecture architecture, LoadedModule module) {
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
  public static VaeDecoder load(Path torchscript, Device device, VaeArchitecture architecture)
      throws IOException {
    return new VaeDecoder(architecture, LoadedModule.load(WHAT, torchscript, device));
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
    requireLatent(latent);
    Shape expected = imageShape(latent.getShape());
    NDList out = module.forward(latent);
    return Results.only(WHAT, out, expected);
  }

  /**
   * Decodes latents in overlapping tiles, or in one piece where one tile covers them.
   *
   * @param latent as for {@link #decode(NDArray)}
   * @param tiling tile and overlap
   * @return as for {@link #decode(NDArray)}; equal to it where one tile covers everything, close to
   *     it otherwise
   * @throws IllegalArgumentException if the input has another shape, type or device
   * @throws IllegalStateException after {@link #close}
   */
  public NDArray decode(NDArray latent, VaeTiling tiling) {
    module.requireOpen();
    requireLatent(latent);
    int scale = architecture.scale();
    Shape shape = latent.getShape();
    Tiles tiles =
        new Tiles(
            new TileAxis(Math.toIntExact(shape.get(2)), tiling, scale),
            new TileAxis(Math.toIntExact(shape.get(3)), tiling, scale));
    if (tiles.areOne()) {
      return decode(latent);
    }
    return tiles.blend(latent, 1, imageShape(shape), scale, this::decode);
  }

  private Shape imageShape(Shape latent) {
    int scale = architecture.scale();
    return new Shape(latent.get(0), 3, latent.get(2) * scale, latent.get(3) * scale);
  }

  private void requireLatent(NDArray latent) {
    boundary.require("latent", latent, DataType.FLOAT32, -1, architecture.latentChannels(), -1, -1);
  }
}
