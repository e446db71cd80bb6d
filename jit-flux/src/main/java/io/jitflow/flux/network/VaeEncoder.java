package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.check.Checks;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The encoder of the FLUX.1 autoencoder.
 *
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight.
 */
public final class VaeEncoder extends Network<VaeArchitecture> {
  private static final String WHAT = "VAE encoder";

  private VaeEncoder(VaeArchitecture architecture, LoadedModule module) {
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
  public static VaeEncoder load(Path torchscript, Device device, VaeArchitecture architecture)
      throws IOException {
    return new VaeEncoder(architecture, LoadedModule.load(WHAT, torchscript, device));
  }

  /**
   * Encodes an image in one piece to the parameters of its latents' distribution.
   *
   * @param image nominally in [-1, 1], FLOAT32 {@code [batch, 3, scale * rows, scale * columns]};
   *     not changed
   * @return mean and log variance before shift and scaling, FLOAT32 {@code [batch, 2
   *     latentChannels, rows, columns]}, attached to the manager of {@code image}
   * @throws IllegalArgumentException if the input has another shape, type or device, or its sides
   *     are not multiples of the scale
   * @throws IllegalStateException after {@link #close}
   */
  public NDArray moments(NDArray image) {
    module.requireOpen();
    requireImage(image);
    Shape expected = latentShape(image.getShape(), 2L * architecture.latentChannels());
    NDList out = module.forward(image);
    return Results.only(WHAT, out, expected);
  }

  /**
   * Encodes an image in one piece. The latents are the mean of their distribution, so that the same
   * image gives the same latents.
   *
   * @param image as for {@link #moments}
   * @return latents as the sampler takes them (shifted and scaled), FLOAT32 {@code [batch,
   *     latentChannels, rows, columns]}, attached to the manager of {@code image}
   * @throws IllegalArgumentException as for {@link #moments}
   * @throws IllegalStateException after {@link #close}
   */
  public NDArray encode(NDArray image) {
    try (NDArray moments = moments(image);
        NDArray mean = moments.get(":, :{}", architecture.latentChannels());
        NDArray shifted = mean.sub((float) architecture.shiftFactor())) {
      return shifted.mul((float) architecture.scalingFactor());
    }
  }

  /**
   * Encodes an image in overlapping tiles, or in one piece where one tile covers it.
   *
   * @param image as for {@link #moments}
   * @param tiling tile and overlap, in latent pixels
   * @return as for {@link #encode(NDArray)}; equal to it where one tile covers everything, close to
   *     it otherwise
   * @throws IllegalArgumentException as for {@link #moments}
   * @throws IllegalStateException after {@link #close}
   */
  public NDArray encode(NDArray image, VaeTiling tiling) {
    module.requireOpen();
    requireImage(image);
    int scale = architecture.scale();
    Shape shape = image.getShape();
    Tiles tiles =
        new Tiles(
            new TileAxis(Math.toIntExact(shape.get(2) / scale), tiling, 1),
            new TileAxis(Math.toIntExact(shape.get(3) / scale), tiling, 1));
    if (tiles.areOne()) {
      return encode(image);
    }
    return tiles.blend(
        image, scale, latentShape(shape, architecture.latentChannels()), 1, this::encode);
  }

  private Shape latentShape(Shape image, long channels) {
    int scale = architecture.scale();
    return new Shape(image.get(0), channels, image.get(2) / scale, image.get(3) / scale);
  }

  private void requireImage(NDArray image) {
    boundary.require("image", image, DataType.FLOAT32, -1, 3, -1, -1);
    int scale = architecture.scale();
    Shape shape = image.getShape();
    Checks.argument(
        shape.get(2) % scale == 0 && shape.get(3) % scale == 0,
        "%s: height and width of the image must be multiples of %d, got %s",
        WHAT,
        scale,
        shape);
  }
}
