package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The encoder of the FLUX.1 autoencoder.
 *
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight.
 */
public final class VaeEncoder implements AutoCloseable {
  private static final String WHAT = "VAE encoder";

  private final VaeArchitecture architecture;
  private final LoadedModule module;
  private final Boundary boundary;

  private VaeEncoder(VaeArchitecture architecture, LoadedModule module) {
    this.architecture = architecture;
    this.module = module;
    this.boundary = new Boundary(WHAT, module.device());
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
    Shape shape = image.getShape();
    int scale = architecture.scale();
    NDList out = module.forward(image);
    return Results.only(
        WHAT,
        out,
        new Shape(
            shape.get(0),
            2L * architecture.latentChannels(),
            shape.get(2) / scale,
            shape.get(3) / scale));
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
    TileAxis rows = new TileAxis(Math.toIntExact(shape.get(2) / scale), tiling, 1);
    TileAxis columns = new TileAxis(Math.toIntExact(shape.get(3) / scale), tiling, 1);
    if (rows.count() == 1 && columns.count() == 1) {
      return encode(image);
    }
    NDManager owner = image.getManager();
    NDArray latent =
        owner.zeros(
            new Shape(
                shape.get(0),
                architecture.latentChannels(),
                shape.get(2) / scale,
                shape.get(3) / scale),
            DataType.FLOAT32);
    try {
      for (int row = 0; row < rows.count(); row++) {
        for (int column = 0; column < columns.count(); column++) {
          try (NDManager scratch = owner.newSubManager()) {
            NDArray piece = image.get(scratch, window(rows, row, columns, column, scale));
            NDArray down = scratch.create(rows.weights(row)).reshape(-1, 1);
            NDArray weights = down.mul(scratch.create(columns.weights(column)));
            NDArray part = encode(piece).mul(weights);
            latent.get(scratch, window(rows, row, columns, column, 1)).addi(part);
          }
        }
      }
      return latent;
    } catch (RuntimeException e) {
      latent.close();
      throw e;
    }
  }

  private static NDIndex window(TileAxis rows, int row, TileAxis columns, int column, int scale) {
    long top = (long) rows.start(row) * scale;
    long left = (long) columns.start(column) * scale;
    return new NDIndex()
        .addAllDim()
        .addAllDim()
        .addSliceDim(top, top + (long) rows.tile() * scale)
        .addSliceDim(left, left + (long) columns.tile() * scale);
  }

  private void requireImage(NDArray image) {
    boundary.require("image", image, DataType.FLOAT32, -1, 3, -1, -1);
    int scale = architecture.scale();
    Shape shape = image.getShape();
    if (shape.get(2) % scale != 0 || shape.get(3) % scale != 0) {
      throw new IllegalArgumentException(
          WHAT
              + ": height and width of the image must be multiples of "
              + scale
              + ", got "
              + shape);
    }
  }

  /**
   * Converts the weights to float32 in place, after which the network computes in float32. Waits
   * for calls in flight.
   *
   * @return false if the module has no method {@code to_float32}, which those of {@code
   *     NetworkProgram} have; it is unchanged then
   * @throws IllegalStateException after {@link #close}
   */
  public boolean toFloat32() {
    return module.toFloat32();
  }

  /** Waits for calls in flight and frees the weights. Further calls have no effect. */
  @Override
  public void close() {
    module.close();
  }
}
