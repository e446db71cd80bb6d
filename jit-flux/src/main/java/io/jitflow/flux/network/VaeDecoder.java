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
 * The decoder of the FLUX.1 autoencoder.
 *
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight. Results cannot be
 * changed in place (libtorch makes them inference tensors); {@code duplicate()} gives one that can.
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
    requireLatent(latent);
    Shape shape = latent.getShape();
    int scale = architecture.scale();
    NDList out = module.forward(latent);
    return Results.only(
        WHAT, out, new Shape(shape.get(0), 3, shape.get(2) * scale, shape.get(3) * scale));
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
    TileAxis rows = new TileAxis(Math.toIntExact(shape.get(2)), tiling, scale);
    TileAxis columns = new TileAxis(Math.toIntExact(shape.get(3)), tiling, scale);
    if (rows.count() == 1 && columns.count() == 1) {
      return decode(latent);
    }
    NDManager owner = latent.getManager();
    NDArray image =
        owner.zeros(
            new Shape(shape.get(0), 3, shape.get(2) * scale, shape.get(3) * scale),
            DataType.FLOAT32);
    try {
      for (int row = 0; row < rows.count(); row++) {
        for (int column = 0; column < columns.count(); column++) {
          try (NDManager scratch = owner.newSubManager()) {
            NDArray piece = latent.get(scratch, window(rows, row, columns, column, 1));
            NDArray down = scratch.create(rows.weights(row)).reshape(-1, 1);
            NDArray weights = down.mul(scratch.create(columns.weights(column)));
            NDArray part = decode(piece).mul(weights);
            image.get(scratch, window(rows, row, columns, column, scale)).addi(part);
          }
        }
      }
      return image;
    } catch (RuntimeException e) {
      image.close();
      throw e;
    }
  }

  private static NDIndex window(TileAxis rows, int row, TileAxis columns, int column, int scale) {
    int top = rows.start(row) * scale;
    int left = columns.start(column) * scale;
    return new NDIndex()
        .addAllDim()
        .addAllDim()
        .addSliceDim(top, top + (long) rows.tile() * scale)
        .addSliceDim(left, left + (long) columns.tile() * scale);
  }

  private void requireLatent(NDArray latent) {
    boundary.require("latent", latent, DataType.FLOAT32, -1, architecture.latentChannels(), -1, -1);
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
