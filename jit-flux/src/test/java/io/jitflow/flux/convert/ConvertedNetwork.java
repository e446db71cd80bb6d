package io.jitflow.flux.convert;

import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One network of a checkpoint, converted without the others: a recording of one network stands
 * alone, of whatever widths it is.
 *
 * @param folder where its TorchScript files are
 * @param network which one
 * @param architecture its sizes
 */
public record ConvertedNetwork<A extends Record>(Path folder, FluxNetwork network, A architecture) {

  /** Reads sizes and mapping of one network. */
  private interface Reader {
    NetworkPlan read(TensorFiles files, Optional<ConfigFile> config) throws IOException;
  }

  /** A transformer, with the axes of its rotary embedding if no configuration says them. */
  public static ConvertedNetwork<FluxArchitecture> transformer(
      Path weights, Optional<List<Integer>> ropeAxes, DType dtype, Path folder) throws IOException {
    return convert(
        weights,
        ArchitectureReader.config(weights, Optional.empty(), "FluxTransformer2DModel"),
        (files, config) -> ArchitectureReader.transformer(files, config, ropeAxes),
        FluxArchitecture.class,
        dtype,
        folder);
  }

  /** An autoencoder, with a configuration if it is not beside the weights. */
  public static ConvertedNetwork<VaeArchitecture> vae(
      Path weights, Optional<Path> configFile, DType dtype, Path folder) throws IOException {
    return convert(
        weights,
        ArchitectureReader.config(weights, configFile, "AutoencoderKL"),
        ArchitectureReader::vaeDecoder,
        VaeArchitecture.class,
        dtype,
        folder);
  }

  /** A CLIP text encoder. */
  public static ConvertedNetwork<ClipArchitecture> clip(Path weights, DType dtype, Path folder)
      throws IOException {
    return encoder(
        weights, "CLIPTextModel", ArchitectureReader::clip, ClipArchitecture.class, dtype, folder);
  }

  /** A T5 encoder. */
  public static ConvertedNetwork<T5Architecture> t5(Path weights, DType dtype, Path folder)
      throws IOException {
    return encoder(
        weights, "T5EncoderModel", ArchitectureReader::t5, T5Architecture.class, dtype, folder);
  }

  private static <A extends Record> ConvertedNetwork<A> encoder(
      Path weights, String className, Reader reader, Class<A> type, DType dtype, Path folder)
      throws IOException {
    Optional<ConfigFile> config = ArchitectureReader.config(weights, Optional.empty(), className);
    return convert(weights, config, reader, type, dtype, folder);
  }

  private static <A extends Record> ConvertedNetwork<A> convert(
      Path weights,
      Optional<ConfigFile> config,
      Reader reader,
      Class<A> type,
      DType dtype,
      Path folder)
      throws IOException {
    try (TensorFiles files = TensorFiles.open(weights)) {
      NetworkPlan plan = reader.read(files, config);
      for (Map.Entry<String, NetworkProgram> entry : plan.programs(dtype).entrySet()) {
        NetworkProgram program = entry.getValue();
        program.write(folder.resolve(entry.getKey()), plan.sources(program, dtype), written -> {});
      }
      return new ConvertedNetwork<>(folder, plan.network(), type.cast(plan.architecture()));
    }
  }

  /** The network's own file. */
  public Path file() {
    return file(network.fileName());
  }

  /** Another file that belongs to the network. */
  public Path file(String name) {
    return folder.resolve(name);
  }
}
