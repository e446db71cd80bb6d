package io.jitflow.flux;

import ai.djl.Device;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.network.AdaptableNetwork;
import io.jitflow.flux.network.Architecture;
import io.jitflow.flux.network.ClipTextEncoder;
import io.jitflow.flux.network.FluxModulation;
import io.jitflow.flux.network.FluxTransformer;
import io.jitflow.flux.network.ModuleFile;
import io.jitflow.flux.network.T5TextEncoder;
import io.jitflow.flux.network.VaeDecoder;
import io.jitflow.flux.network.VaeEncoder;
import io.jitflow.flux.program.MappedArchive;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The networks of a bundle, loaded and freed as the memory policy wants it. Not thread-safe. */
final class LoadedNetworks implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FluxPipeline.class);

  private final FluxBundle bundle;
  private final Device device;
  private MemoryPolicy memory;
  private final ArithmeticChoice arithmetic;
  private final Adaptation adaptation;
  private final PipelineListener listener;
  private @Nullable ClipTextEncoder clip;
  private @Nullable T5TextEncoder t5;
  private @Nullable FluxModulation modulation;
  private @Nullable FluxTransformer transformer;
  private @Nullable VaeEncoder vaeEncoder;
  private @Nullable VaeDecoder vae;

  LoadedNetworks(
      FluxBundle bundle,
      Device device,
      MemoryPolicy memory,
      ArithmeticChoice arithmetic,
      Adaptation adaptation,
      PipelineListener listener) {
    this.adaptation = adaptation;
    this.bundle = bundle;
    this.device = device;
    this.memory = memory;
    this.arithmetic = arithmetic;
    this.listener = listener;
  }

  /** Loads what stays, so that a broken file is told at once. */
  void preload() throws IOException {
    if (memory == MemoryPolicy.RESIDENT) {
      clip();
      t5();
      if (transformer().takesModulation()) {
        modulation();
      }
    }
    vae();
  }

  /**
   * Changes the policy, for an image of another size. What the new one has no room for is freed
   * when the next network is asked for.
   */
  void use(MemoryPolicy policy) {
    if (policy != memory && (policy == MemoryPolicy.STREAMED || memory == MemoryPolicy.STREAMED)) {
      closeTextEncoders(); // their weights lie elsewhere
      closeModulation();
      closeTransformer();
    }
    memory = policy;
  }

  /** What is loaded now. */
  Set<FluxNetwork> inMemory() {
    Set<FluxNetwork> loaded = EnumSet.noneOf(FluxNetwork.class);
    add(loaded, FluxNetwork.TEXT_ENCODER, clip);
    add(loaded, FluxNetwork.TEXT_ENCODER_2, t5);
    add(loaded, FluxNetwork.TRANSFORMER, transformer);
    add(loaded, FluxNetwork.VAE_DECODER, vae);
    return loaded;
  }

  private static void add(
      Set<FluxNetwork> loaded, FluxNetwork network, @Nullable AutoCloseable wrapper) {
    if (wrapper != null) {
      loaded.add(network);
    }
  }

  ClipTextEncoder clip() throws IOException {
    if (clip == null) {
      makeRoomForTextEncoders();
      clip =
          load(
              FluxNetwork.TEXT_ENCODER,
              NetworkProgram.of(bundle.textEncoder()),
              file -> ClipTextEncoder.load(file, device, bundle.textEncoder()));
    }
    return clip;
  }

  T5TextEncoder t5() throws IOException {
    if (t5 == null) {
      makeRoomForTextEncoders();
      t5 =
          load(
              FluxNetwork.TEXT_ENCODER_2,
              program(FluxNetwork.TEXT_ENCODER_2),
              file -> T5TextEncoder.load(file, device, bundle.textEncoder2()));
    }
    return t5;
  }

  /** Whether there is a network that must be evaluated before the transformer is loaded. */
  boolean modulatesApart() {
    return bundle.modulation().isPresent()
        && (transformer == null || transformer.takesModulation());
  }

  /** Loads the modulation beside whatever else is there. */
  FluxModulation modulation() throws IOException {
    if (modulation == null) {
      modulation =
          load(
              FluxNetwork.TRANSFORMER,
              bundle.requireModulation(),
              NetworkProgram.modulation(bundle.transformer()),
              file -> FluxModulation.load(file, device, bundle.transformer()));
    }
    return modulation;
  }

  /** The same, after freeing what need not be there now. */
  FluxModulation modulationAlone() throws IOException {
    if (modulation == null && memory != MemoryPolicy.RESIDENT) {
      closeTextEncoders();
      closeTransformer();
    }
    return modulation();
  }

  FluxTransformer transformer() throws IOException {
    if (memory != MemoryPolicy.RESIDENT) {
      closeTextEncoders();
      closeModulation();
    }
    if (transformer == null) {
      transformer =
          load(
              FluxNetwork.TRANSFORMER,
              program(FluxNetwork.TRANSFORMER),
              file -> FluxTransformer.load(file, device, bundle.transformer()));
    }
    return transformer;
  }

  /** Loads the encoder, which few requests need; it stays until {@link #trim}. */
  VaeEncoder vaeEncoder() throws IOException {
    if (vaeEncoder == null) {
      vaeEncoder = loadVaeEncoder();
    }
    return vaeEncoder;
  }

  private VaeEncoder loadVaeEncoder() throws IOException {
    VaeEncoder loaded = VaeEncoder.load(bundle.requireVaeEncoder(), device, bundle.vaeDecoder());
    boolean complete = false;
    try {
      convert(FluxNetwork.VAE_DECODER, loaded::toFloat32, () -> false);
      complete = true;
      return loaded;
    } finally {
      if (!complete) {
        loaded.close();
      }
    }
  }

  /** Frees what the last request needed and few others do, unless everything stays. */
  void trim() {
    if (memory != MemoryPolicy.RESIDENT) {
      closeVaeEncoder();
    }
  }

  VaeDecoder vae() throws IOException {
    if (vae == null) {
      begin(FluxNetwork.VAE_DECODER);
      vae = VaeDecoder.load(bundle.file(FluxNetwork.VAE_DECODER), device, bundle.vaeDecoder());
      convert(FluxNetwork.VAE_DECODER, vae::toFloat32, () -> false);
    }
    return vae;
  }

  private void begin(FluxNetwork network) throws IOException {
    listener.onActivity(
        new PipelineListener.Activity(
            PipelineListener.Phase.LOAD, network.key(), 0, Files.size(bundle.file(network))));
  }

  /** How a wrapper is made of a file. */
  private interface Loader<T> {
    T load(ModuleFile file) throws IOException;
  }

  /** The program of one of the large networks. */
  private NetworkProgram program(FluxNetwork network) {
    Architecture architecture = bundle.architecture(network);
    return isInt8(network) ? NetworkProgram.int8(architecture) : NetworkProgram.of(architecture);
  }

  private <T extends AdaptableNetwork> T load(
      FluxNetwork network, NetworkProgram program, Loader<T> loader) throws IOException {
    begin(network);
    return load(network, bundle.file(network), program, loader);
  }

  /**
   * Loads a network as it will run: in the type that it computes in, with its adapters.
   *
   * @param program what the file holds unless it was made elsewhere
   */
  private <T extends AdaptableNetwork> T load(
      FluxNetwork network, Path file, NetworkProgram program, Loader<T> loader) throws IOException {
    T loaded = loadStored(network, file, program, loader);
    boolean complete = false;
    try {
      convert(network, loaded::toFloat32, loaded::computeInFloat32);
      adaptation.apply(network, loaded, program);
      complete = true;
      return loaded;
    } finally {
      if (!complete) {
        loaded.close();
      }
    }
  }

  /**
   * Loads a network as it is stored. Weights that are used where the file is mapped, in host
   * memory, are not copied; those of modules made elsewhere, and those that will be converted or
   * take adapters, are loaded as they are.
   */
  private <T> T loadStored(FluxNetwork network, Path file, NetworkProgram program, Loader<T> loader)
      throws IOException {
    boolean streamed = memory == MemoryPolicy.STREAMED;
    boolean int8 = !program.int8Weights().isEmpty();
    boolean copied = arithmetic.converts(network) && !int8 && !widens(network);
    if (copied || adaptation.changes(network) || (device.isGpu() && !streamed)) {
      return loader.load(ModuleFile.of(file));
    }
    Optional<MappedArchive> mapped = MappedArchive.map(file, program, bundle.dtype(network));
    if (mapped.isEmpty()) {
      if (streamed) {
        LOG.warn(
            "{} was made by an earlier version or elsewhere: its weights cannot be streamed and are"
                + " loaded as a whole; convert the checkpoint again",
            file);
      }
      return loader.load(ModuleFile.of(file));
    }
    try (MappedArchive archive = mapped.get()) {
      return loader.load(archive.file().withHostMemory(streamed && device.isGpu()));
    }
  }

  /** Whether a network's matrices stay as they are stored and are widened where they are used. */
  private boolean widens(FluxNetwork network) {
    return memory == MemoryPolicy.STREAMED
        && network != FluxNetwork.TEXT_ENCODER // small
        && !adaptation.changes(network);
  }

  private boolean isInt8(FluxNetwork network) {
    return bundle.dtype(network) == DType.I8;
  }

  private void convert(
      FluxNetwork network, BooleanSupplier toFloat32, BooleanSupplier computeInFloat32) {
    if (!arithmetic.converts(network) || (widens(network) && computeInFloat32.getAsBoolean())) {
      return;
    }
    if (!toFloat32.getAsBoolean()) {
      LOG.warn(
          "{} has no method to_float32 and computes in the type of its weights, which may be slow"
              + " on this machine; convert the checkpoint again, or give your own module the"
              + " method",
          bundle.file(network));
    }
  }

  private void makeRoomForTextEncoders() {
    if (memory != MemoryPolicy.RESIDENT) {
      closeModulation();
      closeTransformer();
    }
  }

  private void closeModulation() {
    if (modulation != null) {
      modulation.close();
      modulation = null;
    }
  }

  private void closeTransformer() {
    if (transformer != null) {
      transformer.close();
      transformer = null;
    }
  }

  private void closeVaeEncoder() {
    if (vaeEncoder != null) {
      vaeEncoder.close();
      vaeEncoder = null;
    }
  }

  private void closeTextEncoders() {
    if (clip != null) {
      clip.close();
      clip = null;
    }
    if (t5 != null) {
      t5.close();
      t5 = null;
    }
  }

  @Override
  public void close() {
    closeTextEncoders();
    closeModulation();
    closeTransformer();
    closeVaeEncoder();
    if (vae != null) {
      vae.close();
      vae = null;
    }
  }
}
