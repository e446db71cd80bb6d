package io.jitflow.flux.convert;

import io.jitflow.flux.adapter.OpenAdapters;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.MergedAdapter;
import io.jitflow.flux.bundle.SchedulerSettings;
import io.jitflow.flux.bundle.SourceFile;
import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.safetensors.SafetensorsFile;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import io.jitflow.flux.weights.LoraAdapter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** A checkpoint with all files open, all mappings complete and all settings read. */
final class OpenCheckpoint implements AutoCloseable {
  /** What the networks' timesteps are multiplied with. */
  private static final int TIMESTEPS = 1000;

  private static final int DEV_T5_TOKENS = 512;
  private static final int SCHNELL_T5_TOKENS = 256;

  /** Room for alignment, names and directory entries of one tensor in an archive. */
  private static final long BYTES_PER_ENTRY = 1024;

  private static final long BYTES_PER_ARCHIVE = 1 << 20;

  private final ConversionOptions options;
  private final List<NetworkPlan> networks = new ArrayList<>();
  private final TokenizerFolder tokenizer;
  private final TokenizerFolder tokenizer2;
  private final FluxBundle description;
  private OpenAdapters adapters;

  private OpenCheckpoint(FluxCheckpoint checkpoint, Path target, ConversionOptions options)
      throws IOException {
    this.options = options;
    boolean complete = false;
    try {
      NetworkPlan transformer =
          open(
              checkpoint.transformer(),
              ArchitectureReader.config(
                  checkpoint.transformer(),
                  checkpoint.transformerConfig(),
                  "FluxTransformer2DModel"),
              (files, config) ->
                  ArchitectureReader.transformer(files, config, checkpoint.ropeAxes()));
      NetworkPlan clip =
          open(
              checkpoint.textEncoder(),
              ArchitectureReader.config(
                  checkpoint.textEncoder(), Optional.empty(), "CLIPTextModel"),
              ArchitectureReader::clip);
      NetworkPlan t5 =
          open(
              checkpoint.textEncoder2(),
              ArchitectureReader.config(
                  checkpoint.textEncoder2(), Optional.empty(), "T5EncoderModel"),
              ArchitectureReader::t5);
      NetworkPlan vae =
          open(
              checkpoint.vae(),
              ArchitectureReader.config(checkpoint.vae(), checkpoint.vaeConfig(), "AutoencoderKL"),
              ArchitectureReader::vaeDecoder);
      this.adapters = OpenAdapters.open(options.adapters(), tensors());
      networks.replaceAll(plan -> plan.with(adapters));
      List<MergedAdapter> merged = new ArrayList<>();
      for (LoraAdapter adapter : options.adapters()) {
        merged.add(MergedAdapter.of(adapter));
      }
      this.tokenizer = TokenizerFolder.clip(checkpoint.tokenizer());
      this.tokenizer2 = TokenizerFolder.t5(checkpoint.tokenizer2());
      FluxArchitecture flux = (FluxArchitecture) transformer.architecture();
      ClipArchitecture clipSizes = (ClipArchitecture) clip.architecture();
      int t5Limit = flux.guidanceEmbedding() ? DEV_T5_TOKENS : SCHNELL_T5_TOKENS;
      this.description =
          new FluxBundle(
              target,
              libraryVersion(),
              flux,
              clipSizes,
              (T5Architecture) t5.architecture(),
              (VaeArchitecture) vae.architecture(),
              options.dtypes(),
              tokenizer.maxLength(clipSizes.positions()),
              options.t5Tokens().orElse(tokenizer2.maxLength(t5Limit)),
              scheduler(checkpoint, flux),
              sources(Map.of()),
              merged);
      complete = true;
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(checkpoint.transformer() + ": " + e.getMessage(), e);
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  static OpenCheckpoint open(FluxCheckpoint checkpoint, Path target, ConversionOptions options)
      throws IOException {
    return new OpenCheckpoint(checkpoint, target, options);
  }

  /** Reads sizes and mapping of one network. */
  private interface Reader {
    NetworkPlan read(TensorFiles files, Optional<ConfigFile> config) throws IOException;
  }

  private NetworkPlan open(Path weights, Optional<ConfigFile> config, Reader reader)
      throws IOException {
    TensorFiles files = TensorFiles.open(weights);
    try {
      NetworkPlan plan = reader.read(files, config);
      networks.add(plan);
      return plan;
    } catch (IOException | RuntimeException e) {
      files.close();
      throw e;
    }
  }

  private static String libraryVersion() {
    String version = FluxBundle.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  private static SchedulerSettings scheduler(FluxCheckpoint checkpoint, FluxArchitecture flux)
      throws IOException {
    if (checkpoint.scheduler().isEmpty()) {
      return flux.guidanceEmbedding() ? SchedulerSettings.DEV : SchedulerSettings.SCHNELL;
    }
    ConfigFile config =
        ConfigFile.read(checkpoint.scheduler().get().resolve("scheduler_config.json"));
    config.require("_class_name", "FlowMatchEulerDiscreteScheduler");
    config.require("time_shift_type", "exponential");
    if (config.has("shift_terminal")) {
      throw config.wrong("shift_terminal", "null", config.number("shift_terminal", 0));
    }
    for (String key :
        List.of(
            "invert_sigmas",
            "stochastic_sampling",
            "use_karras_sigmas",
            "use_exponential_sigmas",
            "use_beta_sigmas")) {
      if (config.flag(key, false)) {
        throw config.wrong(key, "false", "true");
      }
    }
    if (config.integer("num_train_timesteps", TIMESTEPS) != TIMESTEPS) {
      throw config.wrong("num_train_timesteps", "1000", config.integer("num_train_timesteps"));
    }
    SchedulerSettings settings;
    try {
      settings =
          new SchedulerSettings(
              config.flag("use_dynamic_shifting", false),
              config.number("shift", 1.0),
              config.number("base_shift", 0.5),
              config.number("max_shift", 1.15),
              config.integer("base_image_seq_len", 256),
              config.integer("max_image_seq_len", 4096));
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(config.file() + ": " + e.getMessage(), e);
    }
    config.requireAllRead();
    return settings;
  }

  /** All files of the checkpoint's networks, with the hashes that are known. */
  List<SourceFile> sources(Map<SafetensorsFile, String> hashes) {
    List<SourceFile> sources = new ArrayList<>();
    for (NetworkPlan plan : networks) {
      for (SafetensorsFile file : plan.files().files()) {
        sources.add(
            new SourceFile(
                plan.network(),
                file.path().getFileName().toString(),
                file.size(),
                Optional.ofNullable(hashes.get(file))));
      }
    }
    return sources;
  }

  /** Shapes of the programs' tensors. */
  private Map<FluxNetwork, Map<String, long[]>> tensors() {
    Map<FluxNetwork, Map<String, long[]>> tensors = new EnumMap<>(FluxNetwork.class);
    networks.forEach(plan -> tensors.put(plan.network(), NetworkPlan.tensors(plan.programs())));
    return tensors;
  }

  List<NetworkPlan> networks() {
    return networks;
  }

  /** The bundle that will be made; sources without hashes. */
  FluxBundle description() {
    return description;
  }

  DType dtype(NetworkPlan plan) {
    return Objects.requireNonNull(options.dtypes().get(plan.network()));
  }

  void copyTokenizers(Path folder) throws IOException {
    tokenizer.copyTo(folder.resolve(FluxBundle.TOKENIZER));
    tokenizer2.copyTo(folder.resolve(FluxBundle.TOKENIZER_2));
  }

  /** Bytes of all tensors in the bundle. */
  long outputBytes() {
    return networks.stream().mapToLong(plan -> plan.outputBytes(dtype(plan))).sum();
  }

  /** Bytes of all files of the checkpoint's networks. */
  long sourceBytes() {
    return networks.stream()
        .flatMap(plan -> plan.files().files().stream())
        .mapToLong(SafetensorsFile::size)
        .sum();
  }

  ConversionPlan plan() throws IOException {
    List<ConversionPlan.Network> summaries = new ArrayList<>();
    long required = outputBytes() + tokenizer.bytes() + tokenizer2.bytes();
    for (NetworkPlan plan : networks) {
      Map<DType, Long> sourceBytes = new EnumMap<>(DType.class);
      for (TensorInfo info : plan.files().tensors().values()) {
        sourceBytes.merge(info.dtype(), info.byteSize(), Long::sum);
      }
      summaries.add(
          new ConversionPlan.Network(
              plan.network(),
              plan.files().source(),
              (Record) plan.architecture(),
              plan.mapping().layout(),
              plan.mapping().skipped(),
              plan.parameters(),
              sourceBytes,
              plan.outputBytes(dtype(plan))));
      required +=
          BYTES_PER_ARCHIVE * plan.programs().size() + BYTES_PER_ENTRY * plan.tensors(dtype(plan));
    }
    return new ConversionPlan(description.scheduler(), summaries, required);
  }

  /** Fails if a file is not as it was when it was opened. */
  void requireUnchanged() throws IOException {
    for (NetworkPlan plan : networks) {
      for (SafetensorsFile file : plan.files().files()) {
        if (Files.notExists(file.path()) || Files.size(file.path()) != file.size()) {
          throw new CheckpointException(
              file.path()
                  + ": expected "
                  + file.size()
                  + " bytes as at the start, found another size; the file was changed during the"
                  + " conversion, start again");
        }
      }
    }
  }

  @Override
  public void close() {
    networks.forEach(plan -> plan.files().close());
    if (adapters != null) {
      adapters.close();
    }
  }
}
