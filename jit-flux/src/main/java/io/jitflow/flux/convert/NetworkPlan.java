package io.jitflow.flux.convert;

import io.jitflow.flux.bundle.FluxNetwork;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.TensorSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

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
    Record architecture,
    Map<String, NetworkProgram> programs,
    TensorMapping mapping) {

  /**
   * The type in which a tensor is stored. T5's second feed-forward projection gives values beyond
   * the range of F16 and stays in F32.
   */
  DType dtype(String tensor, DType wanted) {
    boolean overflows =
        network == FluxNetwork.TEXT_ENCODER_2 && tensor.endsWith(".DenseReluDense.wo.weight");
    return overflows && wanted == DType.F16 ? DType.F32 : wanted;
  }

  TensorSource source(String tensor, DType wanted) {
    try {
      return mapping.source(tensor, dtype(tensor, wanted));
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
    for (Map.Entry<String, long[]> tensor : tensors(programs).entrySet()) {
      bytes += elements(tensor.getValue()) * dtype(tensor.getKey(), wanted).byteSize();
    }
    return bytes;
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
