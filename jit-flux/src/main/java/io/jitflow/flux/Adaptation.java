package io.jitflow.flux;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.adapter.LoraProduct;
import io.jitflow.flux.adapter.OpenAdapters;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.MergedAdapter;
import io.jitflow.flux.network.AdaptableNetwork;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.weights.FluxNetwork;
import io.jitflow.flux.weights.LoraAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The adapters of a pipeline, which are added to each network after it was loaded. */
final class Adaptation implements AutoCloseable {
  private final OpenAdapters adapters;
  private final List<MergedAdapter> merged;

  private Adaptation(OpenAdapters adapters, List<MergedAdapter> merged) {
    this.adapters = adapters;
    this.merged = merged;
  }

  /** Opens adapters and checks that they fit the bundle's networks. */
  static Adaptation open(FluxBundle bundle, List<LoraAdapter> adapters) throws IOException {
    OpenAdapters open = OpenAdapters.open(adapters, tensors(bundle)); // says what is wrong
    boolean complete = false;
    try {
      List<MergedAdapter> merged = new ArrayList<>();
      for (LoraAdapter adapter : adapters) {
        merged.add(MergedAdapter.of(adapter));
      }
      complete = true;
      return new Adaptation(open, merged);
    } finally {
      if (!complete) {
        open.close();
      }
    }
  }

  private static Map<FluxNetwork, Map<String, long[]>> tensors(FluxBundle bundle) {
    Map<FluxNetwork, Map<String, long[]>> tensors = new EnumMap<>(FluxNetwork.class);
    Map<String, long[]> transformer =
        new LinkedHashMap<>(NetworkProgram.modulation(bundle.transformer()).tensors());
    transformer.putAll(NetworkProgram.of(bundle.transformer()).tensors());
    tensors.put(FluxNetwork.TRANSFORMER, transformer);
    tensors.put(FluxNetwork.TEXT_ENCODER, NetworkProgram.of(bundle.textEncoder()).tensors());
    tensors.put(FluxNetwork.TEXT_ENCODER_2, NetworkProgram.of(bundle.textEncoder2()).tensors());
    return tensors;
  }

  /**
   * Checks that the weights are where adapters can be added to them.
   *
   * @throws IllegalStateException if they stay in the bundle's files and are streamed to a GPU
   */
  void check(MemoryPolicy memory, Device device) {
    if (memory == MemoryPolicy.STREAMED && device.isGpu() && !merged.isEmpty()) {
      throw new IllegalStateException(
          "adapters cannot be added to weights that are streamed from the bundle's files to %s (memory policy STREAMED), but %d %s given; merge them at conversion (convert --lora), or choose another memory policy"
              .formatted(device, merged.size(), merged.size() == 1 ? "was" : "were"));
    }
  }

  /** What was added, for the record. */
  List<MergedAdapter> merged() {
    return merged;
  }

  /** Whether a network's weights change. */
  boolean changes(FluxNetwork network) {
    return !adapters.changed(network).isEmpty();
  }

  /**
   * Adds the adapters to a network that was just loaded.
   *
   * @param network which one
   * @param loaded the network
   * @param program its program; tensors of others are left alone
   */
  void apply(FluxNetwork network, AdaptableNetwork loaded, NetworkProgram program)
      throws IOException {
    if (merged.isEmpty()) {
      return;
    }
    Map<String, long[]> own = program.tensors();
    for (String tensor : adapters.changed(network)) {
      if (own.containsKey(tensor)) {
        for (LoraProduct product : adapters.changes(network, tensor)) {
          try (NDManager scratch = NDManager.newBaseManager(loaded.device(), "PyTorch")) {
            loaded.addProduct(
                tensor,
                product.firstRow(),
                scratch.create(product.up(), new Shape(product.rows(), product.rank())),
                scratch.create(product.down(), new Shape(product.rank(), product.columns())));
          }
        }
      }
    }
  }

  @Override
  public void close() {
    adapters.close();
  }
}
