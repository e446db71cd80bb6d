package io.jitflow.flux.adapter;

import io.jitflow.flux.weights.FluxNetwork;
import io.jitflow.flux.weights.LoraAdapter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Adapters with their files open and every tensor understood.
 *
 * <p>Safe for use by several threads. Factors are read from the mapped files when they are asked
 * for, so that the heap needed is that of one layer.
 */
public final class OpenAdapters implements AutoCloseable {
  private final List<LoraFile> files = new ArrayList<>();
  private final Map<FluxNetwork, Map<String, List<LoraLayer>>> layers = new LinkedHashMap<>();

  private OpenAdapters() {}

  /**
   * Opens adapters for a model.
   *
   * @param adapters in the order in which they are added
   * @param tensors shapes of the tensors of each network that may be changed, by the names of our
   *     programs
   * @return the open adapters; to be closed
   * @throws AdapterException if a file is no adapter, of a kind that is not supported, or for
   *     another model
   * @throws IOException if a file cannot be read or is damaged
   */
  public static OpenAdapters open(
      List<LoraAdapter> adapters, Map<FluxNetwork, Map<String, long[]>> tensors)
      throws IOException {
    OpenAdapters open = new OpenAdapters();
    if (adapters.isEmpty()) {
      return open;
    }
    boolean complete = false;
    try {
      LayerNames names = new LayerNames(tensors);
      for (LoraAdapter adapter : adapters) {
        LoraFile file = LoraFile.open(adapter, names);
        open.files.add(file);
        for (LoraLayer layer : file.layers()) {
          open.layers
              .computeIfAbsent(layer.target().network(), network -> new LinkedHashMap<>())
              .computeIfAbsent(layer.target().tensor(), tensor -> new ArrayList<>())
              .add(layer);
        }
      }
      complete = true;
      return open;
    } finally {
      if (!complete) {
        open.close();
      }
    }
  }

  /**
   * Tells which tensors of a network change.
   *
   * @param network the network
   * @return names of our program
   */
  public Set<String> changed(FluxNetwork network) {
    return layers.getOrDefault(network, Map.of()).keySet();
  }

  /**
   * Reads the changes of one tensor.
   *
   * @param network the network
   * @param tensor the program's name
   * @return the changes, in the order of the adapters; empty if there are none
   * @throws IOException if a file cannot be read
   */
  public List<LoraProduct> changes(FluxNetwork network, String tensor) throws IOException {
    List<LoraProduct> products = new ArrayList<>();
    for (LoraLayer layer : layers.getOrDefault(network, Map.of()).getOrDefault(tensor, List.of())) {
      products.add(layer.product());
    }
    return products;
  }

  /** Closes the files. Idempotent. */
  @Override
  public void close() {
    files.forEach(LoraFile::close);
  }
}
