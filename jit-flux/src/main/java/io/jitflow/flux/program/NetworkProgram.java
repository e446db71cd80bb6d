package io.jitflow.flux.program;

import io.jitflow.flux.network.Architecture;
import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.torchscript.PlaceholderTensor;
import io.jitflow.flux.torchscript.ScriptModule;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.torchscript.TorchScriptArchive;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.LongConsumer;

/**
 * One network as a TorchScript program for given sizes: which tensors it takes, its code and its
 * module tree.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class NetworkProgram {
  private final String name;
  private final Map<String, long[]> tensors;
  private final Map<String, String> codeFiles;
  private final Map<String, String> scales;
  private final ModuleTree tree;

  NetworkProgram(
      String name, TensorShapes tensors, Map<String, String> codeFiles, ModuleTree tree) {
    this.name = name;
    this.tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors.map()));
    this.scales = Collections.unmodifiableMap(new LinkedHashMap<>(tensors.scales()));
    Map<String, String> code = new LinkedHashMap<>(codeFiles);
    Map<String, String> matrices = new LinkedHashMap<>();
    this.tensors.forEach(
        (tensor, shape) -> {
          if (shape.length == 2) {
            matrices.put(tensor, tree.path(tensor));
          }
        });
    Map<String, String> rowScales = new LinkedHashMap<>();
    scales.forEach((scale, tensor) -> rowScales.put(tensor, tree.path(scale)));
    if (!matrices.isEmpty()) {
      code.computeIfPresent(
          name, (file, text) -> InPlaceProducts.addTo(text, tree.rootClass(), matrices, rowScales));
    }
    this.codeFiles = Collections.unmodifiableMap(code);
    this.tree = tree;
  }

  /**
   * The transformer without its modulation, which {@link #modulation} computes. Tensors have the
   * names of the original release: {@code double_blocks.0.img_attn.qkv.weight}, {@code
   * single_blocks.0.linear1.weight}.
   *
   * @param architecture the sizes
   * @return the program
   */
  public static NetworkProgram of(FluxArchitecture architecture) {
    return FluxProgram.of(architecture, WeightFormat.FLOATING);
  }

  /**
   * The part of the transformer that depends on noise level, guidance and pooled prompt alone: its
   * embedders and modulation matrices. Tensors have the names of the original release: {@code
   * double_blocks.0.img_mod.lin.weight}; the rows of {@code final_layer.adaLN_modulation.1} are
   * shift, then scale.
   *
   * @return the program
   */
  public static NetworkProgram modulation(FluxArchitecture architecture) {
    return FluxProgram.modulation(architecture);
  }

  /**
   * The CLIP text encoder. Tensors have the names of the published checkpoints, with the prefix
   * {@code text_model.}.
   *
   * @return the program
   */
  public static NetworkProgram of(ClipArchitecture architecture) {
    return ClipProgram.of(architecture);
  }

  /**
   * The T5 encoder. Tensors have the names of the published checkpoints: {@code shared.weight},
   * {@code encoder.block.0.layer.0.SelfAttention.q.weight}. With FLOAT16 weights the projections
   * {@code DenseReluDense.wo} should be given in FLOAT32, because their results exceed FLOAT16; the
   * program then keeps the token stream in FLOAT32.
   *
   * @return the program
   */
  public static NetworkProgram of(T5Architecture architecture) {
    return T5Program.of(architecture, WeightFormat.FLOATING);
  }

  /**
   * The program of a network.
   *
   * @param architecture its sizes
   * @return the program
   */
  public static NetworkProgram of(Architecture architecture) {
    if (architecture instanceof FluxArchitecture flux) {
      return of(flux);
    }
    if (architecture instanceof ClipArchitecture clip) {
      return of(clip);
    }
    return architecture instanceof T5Architecture t5 ? of(t5) : of((VaeArchitecture) architecture);
  }

  /**
   * The program of a network with 8-bit matrices.
   *
   * @return the program
   * @throws IllegalArgumentException if it is none of the two large networks
   */
  public static NetworkProgram int8(Architecture architecture) {
    if (architecture instanceof FluxArchitecture flux) {
      return int8(flux);
    }
    if (architecture instanceof T5Architecture t5) {
      return int8(t5);
    }
    throw new IllegalArgumentException(
        "8-bit weights are for the transformer and the T5 encoder, got " + architecture);
  }

  /**
   * The transformer with 8-bit matrices in its blocks: {@code NAME.weight} is I8, {@code
   * NAME.scale}, floating, holds what each of its rows is multiplied by. The other tensors are
   * those of {@link #of(FluxArchitecture)}.
   *
   * @return the program
   */
  public static NetworkProgram int8(FluxArchitecture architecture) {
    return FluxProgram.of(architecture, WeightFormat.INT8);
  }

  /**
   * The T5 encoder with 8-bit projections: {@code NAME.weight} is I8, {@code NAME.scale}, floating,
   * holds what each of its rows is multiplied by. The other tensors are those of {@link
   * #of(T5Architecture)}.
   *
   * @return the program
   */
  public static NetworkProgram int8(T5Architecture architecture) {
    return T5Program.of(architecture, WeightFormat.INT8);
  }

  /**
   * The VAE decoder. Tensors have the names of the original release: {@code
   * decoder.up.3.block.0.conv1.weight}; the attention's projections are {@code [C, C, 1, 1]}; with
   * {@code usePostQuantConv} there are {@code post_quant_conv.weight} and {@code .bias} as well.
   *
   * @return the program
   */
  public static NetworkProgram of(VaeArchitecture architecture) {
    return VaeProgram.decoder(architecture);
  }

  /**
   * The VAE encoder. Tensors have the names of the original release: {@code
   * encoder.down.0.block.0.conv1.weight}.
   *
   * @return the program
   */
  public static NetworkProgram encoder(VaeArchitecture architecture) {
    return VaeProgram.encoder(architecture);
  }

  /**
   * The name of the program.
   *
   * @return {@code flux_transformer}, {@code flux_modulation}, {@code clip_text_encoder}, {@code
   *     t5_encoder} or {@code vae_decoder}
   */
  public String name() {
    return name;
  }

  /**
   * The tensors that the program takes.
   *
   * @return shapes by name, in the order in which they are written; the arrays are the caller's
   */
  public Map<String, long[]> tensors() {
    Map<String, long[]> copy = new LinkedHashMap<>();
    tensors.forEach((tensor, shape) -> copy.put(tensor, shape.clone()));
    return copy;
  }

  /**
   * The 8-bit matrices.
   *
   * @return their names by the names of the tensors with the scales of their rows; empty for a
   *     program with floating-point weights only
   */
  public Map<String, String> int8Weights() {
    return scales;
  }

  /**
   * The TorchScript sources.
   *
   * @return code by module name, as {@link io.jitflow.flux.torchscript.TorchScriptArchive} takes it
   */
  public Map<String, String> codeFiles() {
    return codeFiles;
  }

  /**
   * The module tree over given weights.
   *
   * @param weights called once for each name of {@link #tensors()}
   * @return the root module
   * @throws IllegalArgumentException if a tensor is missing (null) or has another shape than {@link
   *     #tensors()} says; the message names it and both shapes
   */
  public ScriptModule module(Function<String, TensorSource> weights) {
    Map<String, TensorSource> sources = new LinkedHashMap<>();
    tensors.forEach(
        (tensor, shape) -> {
          TensorSource source = weights.apply(tensor);
          if (source == null) {
            throw new IllegalArgumentException(
                name + ": tensor " + tensor + " " + Arrays.toString(shape) + " is missing");
          }
          if (!Arrays.equals(source.shape(), shape)) {
            throw new IllegalArgumentException(
                name
                    + ": tensor "
                    + tensor
                    + " must have shape "
                    + Arrays.toString(shape)
                    + ", got "
                    + Arrays.toString(source.shape()));
          }
          sources.put(tensor, source);
        });
    return tree.build(sources);
  }

  /**
   * Writes the network as a TorchScript archive.
   *
   * <p>In the archive every class also has a method {@code to_float32}, with which a loaded network
   * converts its weights in place where the type of the file is slow to compute in.
   *
   * @param target the file to write; left incomplete after an error
   * @param weights called once for each name of {@link #tensors()}
   * @param progress called with the total number of tensor bytes written so far
   * @throws IOException if a tensor cannot be read or the target cannot be written
   * @throws IllegalArgumentException if a tensor is missing (null) or has another shape than {@link
   *     #tensors()} says
   */
  public void write(Path target, Function<String, TensorSource> weights, LongConsumer progress)
      throws IOException {
    ScriptModule root = module(weights);
    TorchScriptArchive.write(target, name, root, InPlaceFloat32.addTo(root, codeFiles), progress);
  }

  /**
   * Writes the network without weights, a few kilobytes: {@link io.jitflow.flux.network.ModuleFile}
   * says where the loaded network gets them from.
   *
   * @param target the file to write; left incomplete after an error
   * @param dtypes the type of each tensor by name
   * @throws IOException if the target cannot be written
   */
  public void writeSkeleton(Path target, Function<String, DType> dtypes) throws IOException {
    writeSkeleton(
        target,
        module(
            name ->
                new PlaceholderTensor(
                    dtypes.apply(name), Objects.requireNonNull(tensors.get(name)))));
  }

  /** Writes the network without weights, given the types in the order of an archive. */
  void writeSkeletonInOrder(Path target, Iterator<DType> dtypes) throws IOException {
    writeSkeleton(
        target,
        placeholders().withTensors(tensor -> new PlaceholderTensor(dtypes.next(), tensor.shape())));
  }

  private void writeSkeleton(Path target, ScriptModule root) throws IOException {
    Map<String, String> code =
        ClassMethods.addTo(
            root, InPlaceFloat32.addTo(root, codeFiles), WeightsFromOutside::methods);
    TorchScriptArchive.write(target, name, root, code, bytes -> {});
  }

  /** The code as it stands in archives. */
  Map<String, String> archivedCode() {
    return InPlaceFloat32.addTo(placeholders(), codeFiles);
  }

  /** The shapes of the tensors in the order in which they lie in an archive. */
  List<long[]> archivedShapes() {
    List<long[]> shapes = new ArrayList<>();
    collect(placeholders(), shapes);
    return shapes;
  }

  private ScriptModule placeholders() {
    return module(
        name -> new PlaceholderTensor(DType.F32, Objects.requireNonNull(tensors.get(name))));
  }

  private static void collect(ScriptModule module, List<long[]> shapes) {
    for (Object value : module.attributes().values()) {
      if (value instanceof TensorSource tensor) {
        shapes.add(tensor.shape());
      } else if (value instanceof ScriptModule child) {
        collect(child, shapes);
      }
    }
  }
}
