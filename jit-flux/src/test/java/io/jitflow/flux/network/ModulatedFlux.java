package io.jitflow.flux.network;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Function;

/** The transformer and its modulation as one function of everything. */
final class ModulatedFlux implements AutoCloseable {
  private final FluxModulation modulation;
  final FluxTransformer transformer;

  private ModulatedFlux(FluxModulation modulation, FluxTransformer transformer) {
    this.modulation = modulation;
    this.transformer = transformer;
  }

  static ModulatedFlux load(Path modulation, Path transformer, FluxArchitecture architecture)
      throws IOException {
    return new ModulatedFlux(
        FluxModulation.load(modulation, Device.cpu(), architecture),
        FluxTransformer.load(transformer, Device.cpu(), architecture));
  }

  /** A small network with random weights. */
  static ModulatedFlux small(Path folder, Function<String, DType> dtypes) throws IOException {
    NetworkProgram modulation = NetworkProgram.modulation(SmallNetworks.FLUX);
    NetworkProgram transformer = NetworkProgram.of(SmallNetworks.FLUX);
    return load(
        SmallNetworks.write(modulation, folder, SmallNetworks.weights(modulation, dtypes)),
        SmallNetworks.write(transformer, folder, SmallNetworks.weights(transformer, dtypes)),
        SmallNetworks.FLUX);
  }

  NDArray velocity(
      NDArray img,
      NDArray imgIds,
      NDArray txt,
      NDArray txtIds,
      NDArray vec,
      NDArray sigma,
      NDArray guidance) {
    try (NDArray rows = modulation.rows(vec, sigma, guidance)) {
      return transformer.velocity(img, imgIds, txt, txtIds, rows);
    }
  }

  NDArray velocity(
      NDArray img, NDArray imgIds, NDArray txt, NDArray vec, double sigma, double guidance) {
    int batch = (int) vec.getShape().get(0);
    double[] sigmas = {sigma};
    try (NDArray one = vec.get("0:1");
        NDArray rows = modulation.rows(one, sigmas, guidance);
        NDArray all = rows.repeat(0, batch)) {
      return transformer.velocity(img, imgIds, txt, all);
    }
  }

  FluxModulation modulation() {
    return modulation;
  }

  @Override
  public void close() {
    transformer.close();
    modulation.close();
  }
}
