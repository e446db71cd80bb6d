package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The part of FLUX.1 that depends on noise level, guidance and pooled prompt alone: shifts, scales
 * and gates of all blocks, a quarter of the parameters. It does not see the image, so that all
 * sigmas of a run can be evaluated before the first step.
 *
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight. Results cannot be
 * changed in place.
 */
public final class FluxModulation extends Network<FluxArchitecture> implements AdaptableNetwork {
  private static final String WHAT = "FLUX modulation";

  private FluxModulation(FluxArchitecture architecture, LoadedModule module) {
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
  public static FluxModulation load(Path torchscript, Device device, FluxArchitecture architecture)
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
  public static FluxModulation load(ModuleFile file, Device device, FluxArchitecture architecture)
      throws IOException {
    return new FluxModulation(architecture, LoadedModule.load(WHAT, file, device));
  }

  /**
   * Evaluates the modulation of some samples. All inputs are FLOAT32 and are not changed.
   *
   * @param vec pooled CLIP embedding, {@code [batch, pooledWidth]}
   * @param sigma noise level of each sample in [0, 1], {@code [batch]}
   * @param guidance guidance scale of each sample, for example 3.5, {@code [batch]}; ignored by
   *     networks without guidance embedding
   * @return FLOAT32 {@code [batch, rows, hiddenSize]} with {@link
   *     FluxArchitecture#modulationRows()} rows in the order of the blocks, attached to the manager
   *     of {@code vec}
   * @throws IllegalArgumentException if an input has another shape, type or device
   * @throws IllegalStateException after {@link #close}
   */
  public NDArray rows(NDArray vec, NDArray sigma, NDArray guidance) {
    module.requireOpen();
    boundary.require("vec", vec, DataType.FLOAT32, -1, architecture.pooledWidth());
    long batch = vec.getShape().get(0);
    boundary.require("sigma", sigma, DataType.FLOAT32, batch);
    boundary.require("guidance", guidance, DataType.FLOAT32, batch);
    NDList out = module.forward(vec, sigma, guidance);
    Shape expected = new Shape(batch, architecture.modulationRows(), architecture.hiddenSize());
    return Results.only(WHAT, out, expected);
  }

  /**
   * Evaluates the modulation of one prompt at several noise levels.
   *
   * @param vec pooled CLIP embedding, {@code [1, pooledWidth]}
   * @param sigmas noise levels in [0, 1], at least one
   * @param guidance guidance scale, ignored by networks without guidance embedding
   * @return as {@link #rows(NDArray, NDArray, NDArray)}, one sample for each sigma
   * @throws IllegalArgumentException if the input has another shape, type or device, or a sigma is
   *     not in [0, 1]
   * @throws IllegalStateException after {@link #close}
   */
  public NDArray rows(NDArray vec, double[] sigmas, double guidance) {
    module.requireOpen();
    boundary.require("vec", vec, DataType.FLOAT32, 1, architecture.pooledWidth());
    float[] levels = new float[sigmas.length];
    for (int i = 0; i < levels.length; i++) {
      levels[i] = (float) FluxTransformer.requireSigma(sigmas[i]);
    }
    try (NDManager scratch = vec.getManager().newSubManager()) {
      scratch.tempAttachAll(vec);
      NDArray rows =
          rows(
              vec.repeat(0, levels.length),
              scratch.create(levels),
              scratch.full(new Shape(levels.length), (float) guidance));
      return scratch.ret(rows);
    }
  }

  @Override
  public void addProduct(String tensor, long firstRow, NDArray up, NDArray down) {
    module.addProduct(tensor, firstRow, up, down);
  }
}
