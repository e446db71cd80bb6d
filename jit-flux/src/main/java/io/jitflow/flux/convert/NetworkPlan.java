package io.jitflow.flux.convert;

import io.jitflow.flux.adapter.OpenAdapters;
import io.jitflow.flux.network.Architecture;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * One network of a checkpoint, ready to be written.
 *
 * @param network which one
 * @param files open files of the checkpoint
 * @param architecture the sizes
 * @param programs our programs of these sizes by file name
 * @param mapping where its tensors come from
 */
record NetworkPlan(
    FluxNetwork network,
    TensorFiles files,
    Architecture architecture,
    Map<String, NetworkProgram> programs,
    TensorMapping mapping) {

  /** Whether this network can have 8-bit weights: the two large ones. */
  static boolean supportsInt8(FluxNetwork network) {
    return network == FluxNetwork.TRANSFORMER || network == FluxNetwork.TEXT_ENCODER_2;
  }

  /** The programs by file name, for weights of a type. */
  Map<String, NetworkProgram> programs(DType wanted) {
    if (wanted != DType.I8) {
      return programs;
    }
    Map<String, NetworkProgram> quantised = new LinkedHashMap<>(programs);
    quantised.put(network.fileName(), NetworkProgram.int8(architecture));
    return quantised;
  }

  /**
   * The type in which a tensor is stored. T5's second feed-forward projection gives values beyond
   * the range of F16 and stays in F32. Of 8-bit networks all but the matrices are BF16, and the
   * scales of their rows F32.
   */
  private DType dtype(NetworkProgram program, String tensor, DType wanted) {
    if (wanted == DType.I8) {
      if (program.int8Weights().containsKey(tensor)) {
        return DType.F32;
      }
      return program.int8Weights().containsValue(tensor) ? DType.I8 : DType.BF16;
    }
    boolean overflows =
        network == FluxNetwork.TEXT_ENCODER_2 && tensor.endsWith(".DenseReluDense.wo.weight");
    return overflows && wanted == DType.F16 ? DType.F32 : wanted;
  }

  /** The same network with adapters added to its tensors. */
  NetworkPlan with(OpenAdapters adapters) {
    return new NetworkPlan(network, files, architecture, programs, mapping.with(network, adapters));
  }

  /** The tensors of one of the programs. */
  Function<String, TensorSource> sources(NetworkProgram program, DType wanted) {
    Map<String, Int8Rows> matrices = new HashMap<>();
    Map<String, String> scales = program.int8Weights();
    return tensor -> {
      if (scales.containsKey(tensor)) {
        return matrices.computeIfAbsent(scales.get(tensor), this::int8Rows).scales();
      }
      if (scales.containsValue(tensor)) {
        return matrices.computeIfAbsent(tensor, this::int8Rows).integers();
      }
      return source(tensor, dtype(program, tensor, wanted));
    };
  }

  private Int8Rows int8Rows(String tensor) {
    return new Int8Rows(tensor, source(tensor, DType.F32));
  }

  private TensorSource source(String tensor, DType dtype) {
    try {
      return mapping.source(tensor, dtype);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The tensors of all programs. */
  static Map<String, long[]> tensors(Map<String, NetworkProgram> programs) {
    Map<String, long[]> tensors = new LinkedHashMap<>();
    programs.values().forEach(program -> tensors.putAll(program.tensors()));
    return tensors;
  }

  /** Bytes of all tensors in the bundle. */
  long outputBytes(DType wanted) {
    long bytes = 0;
    for (NetworkProgram program : programs(wanted).values()) {
      for (Map.Entry<String, long[]> tensor : program.tensors().entrySet()) {
        DType dtype = dtype(program, tensor.getKey(), wanted);
        bytes += elements(tensor.getValue()) * dtype.byteSize();
      }
    }
    return bytes;
  }

  /** The number of tensors in the bundle. */
  long tensors(DType wanted) {
    return tensors(programs(wanted)).size();
  }

  long parameters() {
    return tensors(programs).values().stream().mapToLong(NetworkPlan::elements).sum();
  }

  private static long elements(long[] shape) {
    long elements = 1;
    for (long size : shape) {
      elements *= size;
    }
    return elements;
  }
}
