package io.jitflow.flux.convert;

import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What is in a checkpoint and what a conversion would make of it.
 *
 * @param scheduler how noise levels are spread, a record of numbers
 * @param networks one entry for each network
 * @param requiredBytes room that the bundle needs
 */
public record ConversionPlan(Record scheduler, List<Network> networks, long requiredBytes) {

  /**
   * Makes the list immutable.
   *
   * @param scheduler a record of numbers
   * @param networks copied
   * @param requiredBytes in bytes
   */
  public ConversionPlan {
    networks = List.copyOf(networks);
  }

  /**
   * One network of the checkpoint.
   *
   * @param network which one
   * @param source file or index of the weights
   * @param architecture its sizes, a record of numbers
   * @param layout by whose names its tensors are called
   * @param skipped tensors of the checkpoint that are knowingly left out
   * @param parameters number of weights that are used
   * @param sourceBytes bytes of the checkpoint's tensors by type, skipped ones included
   * @param outputBytes bytes of the tensors in the bundle
   */
  public record Network(
      FluxNetwork network,
      Path source,
      Record architecture,
      String layout,
      Set<String> skipped,
      long parameters,
      Map<DType, Long> sourceBytes,
      long outputBytes) {

    /**
     * Makes the collections immutable.
     *
     * @param network any
     * @param source a path
     * @param architecture a record of numbers
     * @param layout its name
     * @param skipped copied
     * @param parameters a count
     * @param sourceBytes copied
     * @param outputBytes in bytes
     */
    public Network {
      skipped = Set.copyOf(skipped);
      sourceBytes = Map.copyOf(sourceBytes);
    }
  }
}
