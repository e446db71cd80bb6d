package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.check.Checks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The velocity network of FLUX.1.
 *
 * <p>The number of image tokens is free at every call, and so is which tokens of the grid they are:
 * the network knows them by their position ids alone.
 *
 * <p>A module either takes the rows that a {@link FluxModulation} computed, as ours do, or noise
 * level, guidance and pooled prompt, and modulates by itself: {@link #takesModulation()}.
 *
 * <p>Safe for use by several threads; {@link #close} waits for calls in flight. Results cannot be
 * changed in place (libtorch makes them inference tensors); {@code duplicate()} gives one that can.
 */
public final class FluxTransformer extends Network<FluxArchitecture> implements AdaptableNetwork {
  private static final String WHAT = "FLUX transformer";

  private final boolean takesModulation;

  private FluxTransformer(FluxArchitecture architecture, LoadedModule module) {
    super(WHAT, architecture, module);
    this.takesModulation = module.hasMethod("takes_modulation");
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
  public static FluxTransformer load(Path torchscript, Device device, FluxArchitecture architecture)
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
  public static FluxTransformer load(ModuleFile file, Device device, FluxArchitecture architecture)
      throws IOException {
    return new FluxTransformer(architecture, LoadedModule.load(WHAT, file, device));
  }

  /**
   * Whether the module takes modulation rows, which it says by a method {@code takes_modulation}.
   *
   * @return true if {@link #velocity(NDArray, NDArray, NDArray, NDArray)} is to be called, false if
   *     {@link #velocity(NDArray, NDArray, NDArray, NDArray, double, double)} is
   */
  public boolean takesModulation() {
    return takesModulation;
  }

  /**
   * Evaluates the velocity {@code dy/dsigma} at some tokens with given modulation and zero text
   * positions. All inputs are FLOAT32 and are not changed.
   *
   * @param img image tokens, {@code [batch, tokens, inChannels]}
   * @param imgIds {@code (0, row, column)} of each of them, {@code [batch, tokens, 3]}
   * @param txt T5 embeddings, {@code [batch, textTokens, textWidth]}
   * @param modulation what {@link FluxModulation} computed for each sample, {@code [batch, rows,
   *     hiddenSize]}
   * @return the velocity, FLOAT32 {@code [batch, tokens, inChannels]}, attached to the manager of
   *     {@code img}
   * @throws IllegalArgumentException if an input has another shape, type or device
   * @throws IllegalStateException after {@link #close}, or if the module modulates by itself
   */
  public NDArray velocity(NDArray img, NDArray imgIds, NDArray txt, NDArray modulation) {
    module.requireOpen();
    boundary.require("txt", txt, DataType.FLOAT32, -1, -1, architecture.textWidth());
    try (NDManager scratch = img.getManager().newSubManager()) {
      NDArray txtIds = scratch.zeros(new Shape(txt.getShape().get(1), 3));
      return velocity(img, imgIds, txt, txtIds, modulation);
    }
  }

  /**
   * Evaluates the velocity with given positions of the text tokens; the parameters are otherwise
   * those of {@link #velocity(NDArray, NDArray, NDArray, NDArray)}.
   *
   * @param txtIds position ids of the text tokens, zeros, {@code [textTokens, 3]}
   * @return the velocity, FLOAT32 {@code [batch, tokens, inChannels]}, attached to the manager of
   *     {@code img}
   * @throws IllegalArgumentException if an input has another shape, type or device
   * @throws IllegalStateException after {@link #close}, or if the module modulates by itself
   */
  public NDArray velocity(
      NDArray img, NDArray imgIds, NDArray txt, NDArray txtIds, NDArray modulation) {
    requireSignature(true);
    requireTokens(img, imgIds, txt, txtIds);
    boundary.require(
        "modulation",
        modulation,
        DataType.FLOAT32,
        img.getShape().get(0),
        architecture.modulationRows(),
        architecture.hiddenSize());
    NDList out = module.forward(img, imgIds, txt, txtIds, modulation);
    return Results.only(WHAT, out, img.getShape());
  }

  private void requireSignature(boolean modulated) {
    module.requireOpen();
    if (takesModulation != modulated) {
      throw new IllegalStateException(
          takesModulation
              ? "this FLUX transformer takes the rows of a FluxModulation; call velocity with them"
              : "this FLUX transformer modulates by itself; call velocity with sigma and guidance");
    }
  }

  private void requireTokens(NDArray img, NDArray imgIds, NDArray txt, NDArray txtIds) {
    boundary.require("img", img, DataType.FLOAT32, -1, -1, architecture.inChannels());
    long batch = img.getShape().get(0);
    long tokens = img.getShape().get(1);
    boundary.require("imgIds", imgIds, DataType.FLOAT32, batch, tokens, 3);
    boundary.require("txt", txt, DataType.FLOAT32, batch, -1, architecture.textWidth());
    boundary.require("txtIds", txtIds, DataType.FLOAT32, txt.getShape().get(1), 3);
  }

  /**
   * Evaluates the velocity {@code dy/dsigma} at some tokens by a module that modulates by itself.
   * All inputs are FLOAT32 and are not changed; the tokens and their positions are those of {@link
   * #velocity(NDArray, NDArray, NDArray, NDArray, NDArray)}.
   *
   * @param vec pooled CLIP embedding, {@code [batch, pooledWidth]}
   * @param sigma noise level of each sample in [0, 1], {@code [batch]}
   * @param guidance guidance scale of each sample, for example 3.5, {@code [batch]}; ignored by
   *     networks without guidance embedding
   * @return the velocity, FLOAT32 {@code [batch, tokens, inChannels]}, attached to the manager of
   *     {@code img}
   * @throws IllegalArgumentException if an input has another shape, type or device
   * @throws IllegalStateException after {@link #close}, or if the module takes modulation rows
   */
  public NDArray velocity(
      NDArray img,
      NDArray imgIds,
      NDArray txt,
      NDArray txtIds,
      NDArray vec,
      NDArray sigma,
      NDArray guidance) {
    requireSignature(false);
    requireTokens(img, imgIds, txt, txtIds);
    long batch = img.getShape().get(0);
    boundary.require("vec", vec, DataType.FLOAT32, batch, architecture.pooledWidth());
    boundary.require("sigma", sigma, DataType.FLOAT32, batch);
    boundary.require("guidance", guidance, DataType.FLOAT32, batch);
    NDList out = module.forward(img, imgIds, txt, txtIds, vec, sigma, guidance);
    return Results.only(WHAT, out, img.getShape());
  }

  /**
   * Evaluates the velocity with one noise level and guidance scale for the whole batch and zero
   * text positions; the parameters are otherwise those of {@link #velocity(NDArray, NDArray,
   * NDArray, NDArray, NDArray, NDArray, NDArray)}.
   *
   * @param sigma noise level in [0, 1]
   * @param guidance guidance scale, ignored by networks without guidance embedding
   * @return the velocity, FLOAT32 {@code [batch, tokens, inChannels]}, attached to the manager of
   *     {@code img}
   * @throws IllegalArgumentException if an input has another shape, type or device, or sigma is not
   *     in [0, 1]
   * @throws IllegalStateException after {@link #close}, or if the module takes modulation rows
   */
  public NDArray velocity(
      NDArray img, NDArray imgIds, NDArray txt, NDArray vec, double sigma, double guidance) {
    requireSigma(sigma);
    module.requireOpen();
    boundary.require("img", img, DataType.FLOAT32, -1, -1, architecture.inChannels());
    boundary.require("txt", txt, DataType.FLOAT32, -1, -1, architecture.textWidth());
    int batch = Math.toIntExact(img.getShape().get(0));
    try (NDManager scratch = img.getManager().newSubManager()) {
      NDArray txtIds = scratch.zeros(new Shape(txt.getShape().get(1), 3));
      NDArray sigmas = scratch.create(filled(batch, sigma));
      NDArray guidances = scratch.create(filled(batch, guidance));
      return velocity(img, imgIds, txt, txtIds, vec, sigmas, guidances);
    }
  }

  static double requireSigma(double sigma) {
    Checks.argument(sigma >= 0 && sigma <= 1, "sigma must lie in [0, 1], got %s", sigma);
    return sigma;
  }

  private static float[] filled(int count, double value) {
    float[] values = new float[count];
    Arrays.fill(values, (float) value);
    return values;
  }

  @Override
  public void addProduct(String tensor, long firstRow, NDArray up, NDArray down) {
    module.addProduct(tensor, firstRow, up, down);
  }
}
