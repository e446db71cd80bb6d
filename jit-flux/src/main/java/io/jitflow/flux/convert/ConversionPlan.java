package io.jitflow.flux.convert;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.FluxNetwork;
import io.jitflow.flux.weights.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What is in a checkpoint and what a conversion would make of it.
 *
 * @param bundle the bundle's description; sources without hashes
 * @param networks one entry for each network
 * @param requiredBytes room that the bundle needs
 */
public record ConversionPlan(FluxBundle bundle, List<Network> networks, long requiredBytes) {

  /**
   * Makes the list immutable.
   *
   * @param bundle the bundle's description
   * @param networks one entry for each network
   * @param requiredBytes room that the bundle needs
   */
  public ConversionPlan {
    networks = List.copyOf(networks);
  }

  /**
   * One network of the checkpoint.
   *
   * @param network which one
   * @param source file or index of the weights
   * @param architecture its sizes: FluxArchitecture, ClipArchitecture, T5Architecture or
   *     VaeArchitecture
   * @param mapping where the program's tensors come from
   * @param parameters number of weights that are used
   * @param sourceBytes bytes of the checkpoint's tensors by type, skipped ones included
   * @param outputBytes bytes of the tensors in the bundle
   */
  public record Network(
      FluxNetwork network,
      Path source,
      Record architecture,
      TensorMapping mapping,
      long parameters,
      Map<DType, Long> sourceBytes,
      long outputBytes) {

    /**
     * Makes the map immutable.
     *
     * @param network which one
     * @param source file or index of the weights
     * @param architecture its sizes
     * @param mapping where the program's tensors come from
     * @param parameters number of weights that are used
     * @param sourceBytes bytes of the checkpoint's tensors by type
     * @param outputBytes bytes of the tensors in the bundle
     */
    public Network {
      sourceBytes = Map.copyOf(sourceBytes);
    }
  }
}
