package io.jitflow.flux.bundle;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.core.check.Checks;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.json.StrictJson;
import io.jitflow.flux.network.Architecture;
import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A folder with everything a pipeline needs: one TorchScript file per network, the tokenizers'
 * folders, and {@code manifest.json}, which this record mirrors.
 *
 * <p>A network's file may be replaced by another TorchScript module with the same signature; the
 * manifest then still describes sizes and types at the boundary.
 *
 * @param folder where the bundle is
 * @param libraryVersion version of this library that made it
 * @param transformer sizes of the velocity network
 * @param textEncoder sizes of the CLIP text encoder
 * @param textEncoder2 sizes of the T5 encoder
 * @param vaeDecoder sizes of the decoder
 * @param dtypes element type of each network's weights
 * @param clipTokens length to which prompts are padded for CLIP (77)
 * @param t5Tokens length to which prompts are padded for T5 (512 for dev, 256 for schnell)
 * @param scheduler how noise levels are spread
 * @param sources the checkpoint files it was made from
 * @param adapters the adapters that were added to the weights
 */
public record FluxBundle(
    Path folder,
    String libraryVersion,
    FluxArchitecture transformer,
    ClipArchitecture textEncoder,
    T5Architecture textEncoder2,
    VaeArchitecture vaeDecoder,
    Map<FluxNetwork, DType> dtypes,
    int clipTokens,
    int t5Tokens,
    SchedulerSettings scheduler,
    List<SourceFile> sources,
    List<MergedAdapter> adapters) {

  /** Name of the manifest in a bundle. */
  public static final String MANIFEST = "manifest.json";

  /** Name of the file with the transformer's modulation. */
  public static final String MODULATION = "modulation.pt";

  /** Name of the file with the autoencoder's encoder. */
  public static final String VAE_ENCODER = "vae_encoder.pt";

  /** Name of the folder with CLIP's tokenizer. */
  public static final String TOKENIZER = "tokenizer";

  /** Name of the folder with T5's tokenizer. */
  public static final String TOKENIZER_2 = "tokenizer_2";

  private static final int LATENT_PX = 8;
  private static final String FORMAT = "jit-flux-bundle";

  /** Version of the manifest that {@link #writeManifest} writes. */
  public static final int FORMAT_VERSION = 2;

  /** Its transformer modulates by itself. */
  private static final int OLDEST_FORMAT_VERSION = 1;

  /** Its manifest has no hashes of the files. */
  private static final int VERSION_WITHOUT_FILES = 1;

  private static final long MAX_MANIFEST_BYTES = 16 << 20;
  private static final String REPAIR = "the manifest is damaged, convert the checkpoint again";
  private static final Gson GSON = new GsonBuilder().setPrettyPrinting().create();

  /**
   * Checks that the networks fit together.
   *
   * @throws IllegalArgumentException if the text encoders' or the decoder's widths are not those
   *     that the transformer takes, the decoder enlarges other than 8 times, a type is missing, or
   *     a prompt length is not possible
   */
  public FluxBundle {
    requireEqual("text_encoder gives", textEncoder.width(), transformer.pooledWidth());
    requireEqual("text_encoder_2 gives", textEncoder2.width(), transformer.textWidth());
    requireEqual(
        "2 x 2 pixels of vae_decoder have",
        4 * vaeDecoder.latentChannels(),
        transformer.inChannels());
    Checks.argument(
        vaeDecoder.scale() == LATENT_PX,
        "a latent pixel of FLUX.1 covers %d x %d px, that of vae_decoder %d: it is another"
            + " model's",
        LATENT_PX,
        LATENT_PX,
        vaeDecoder.scale());
    requireEveryNetwork(dtypes);
    Checks.argument(
        clipTokens >= 2 && clipTokens <= textEncoder.positions(),
        "clipTokens must be between 2 and the %d positions of text_encoder, got %d",
        textEncoder.positions(),
        clipTokens);
    Checks.argument(t5Tokens >= 1, "t5Tokens must be positive, got %d", t5Tokens);
    dtypes = Collections.unmodifiableMap(new EnumMap<>(dtypes));
    sources = List.copyOf(sources);
    adapters = List.copyOf(adapters);
  }

  /**
   * Checks that every network has a type.
   *
   * @param dtypes element types of networks' weights
   * @throws IllegalArgumentException if there are networks without one; the message names them
   */
  public static void requireEveryNetwork(Map<FluxNetwork, DType> dtypes) {
    Set<FluxNetwork> missing = EnumSet.allOf(FluxNetwork.class);
    missing.removeAll(dtypes.keySet());
    Checks.argument(
        missing.isEmpty(),
        "dtypes must name every network, got none for %s",
        missing.stream().map(FluxNetwork::key).collect(Collectors.joining(", ")));
  }

  private static void requireEqual(String what, int given, int taken) {
    Checks.argument(
        given == taken,
        "the networks do not belong together: %s %d values, the transformer takes %d",
        what,
        given,
        taken);
  }

  /**
   * Reads the manifest of a bundle and checks that its files are there.
   *
   * @param folder the bundle
   * @return what the manifest says
   * @throws BundleException if the folder is no bundle, or the bundle is incomplete, damaged or of
   *     another version
   * @throws IOException if it cannot be read
   */
  public static FluxBundle read(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new BundleException(
          folder
              + ": expected a bundle folder, found "
              + (Files.exists(folder) ? "a file" : "nothing")
              + interruptedReplacement(folder)
                  .map(
                      old ->
                          "; its replacement was interrupted and it lies in "
                              + old
                              + ": move it back, or convert again")
                  .orElse("; check the path, or convert a checkpoint first"));
    }
    Path file = folder.resolve(MANIFEST);
    if (!Files.isRegularFile(file)) {
      throw new BundleException(
          folder
              + ": expected a bundle, found no "
              + MANIFEST
              + (Files.exists(folder.resolve("model_index.json"))
                  ? "; this is a diffusers checkpoint, convert it first"
                  : "; check the path, or convert a checkpoint first"));
    }
    FluxBundle bundle = parse(folder, file, manifest(file));
    bundle.requireFiles();
    return bundle;
  }

  /** Where a conversion that was killed while it replaced a bundle has left the old one. */
  private static Optional<Path> interruptedReplacement(Path folder) throws IOException {
    Path place = folder.toAbsolutePath().normalize();
    Path parent = place.getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      return Optional.empty();
    }
    String prefix = "." + place.getFileName() + ".old-";
    try (Stream<Path> entries = Files.list(parent)) {
      return entries
          .filter(entry -> entry.getFileName().toString().startsWith(prefix))
          .map(entry -> entry.resolve("bundle"))
          .filter(Files::isDirectory)
          .findFirst();
    }
  }

  private static StrictJson manifest(Path file) throws IOException {
    return StrictJson.read(
        file,
        MAX_MANIFEST_BYTES,
        (problem, cause) -> new BundleException(file + ": " + problem + "; " + REPAIR, cause));
  }

  /**
   * Compares the bundle's files with what the manifest recorded of them when it was written,
   * because damaged weights draw pictures without a word, and libtorch does not survive every
   * damage.
   *
   * @param verification how thoroughly
   * @param progress told of the bytes read
   * @return false if the manifest is of a version that recorded nothing, so nothing was compared
   * @throws BundleException if a file is missing or has other content
   * @throws IOException if a file cannot be read
   */
  public boolean verify(Verification verification, ReadProgress progress) throws IOException {
    if (verification == Verification.NONE) {
      return true;
    }
    StrictJson manifest = manifest(folder.resolve(MANIFEST));
    if (manifest.integer("formatVersion") <= VERSION_WITHOUT_FILES) {
      return false;
    }
    List<BundleFiles.Entry> entries = BundleFiles.parse(manifest);
    for (FluxNetwork network : FluxNetwork.values()) {
      if (entries.stream().noneMatch(entry -> entry.name().equals(network.fileName()))) {
        throw new BundleException(
            folder.resolve(MANIFEST)
                + ": files: expected "
                + network.fileName()
                + " among them, found no such entry; "
                + REPAIR);
      }
    }
    BundleFiles.verify(folder, entries, verification, progress);
    return true;
  }

  private static FluxBundle parse(Path folder, Path file, StrictJson manifest) throws IOException {
    if (!manifest.has("format") || !manifest.string("format").equals(FORMAT)) {
      throw new BundleException(
          file
              + ": expected the manifest of a bundle (format "
              + FORMAT
              + "), found another JSON file; check the path");
    }
    int version = manifest.integer("formatVersion");
    if (version < OLDEST_FORMAT_VERSION || version > FORMAT_VERSION) {
      throw new BundleException(
          file
              + ": expected format version "
              + FORMAT_VERSION
              + ", found "
              + version
              + (version > FORMAT_VERSION
                  ? "; use a newer version of this library"
                  : "; convert the checkpoint again"));
    }
    StrictJson networks = manifest.object("networks");
    Map<FluxNetwork, DType> dtypes = new EnumMap<>(FluxNetwork.class);
    for (FluxNetwork network : FluxNetwork.values()) {
      StrictJson entry = networks.object(network.key());
      String dtype = entry.string("dtype");
      dtypes.put(
          network,
          DType.named(dtype)
              .orElseThrow(() -> entry.wrong("dtype", "BF16, F16, F32 or I8", dtype)));
    }
    List<SourceFile> sources = new ArrayList<>();
    for (StrictJson source : manifest.objects("sources")) {
      sources.add(source(file, source));
    }
    StrictJson tokenizers = manifest.object("tokenizers");
    FluxBundle bundle;
    try {
      bundle =
          new FluxBundle(
              folder,
              manifest.string("libraryVersion"),
              architecture(networks, FluxNetwork.TRANSFORMER, FluxArchitecture.class),
              architecture(networks, FluxNetwork.TEXT_ENCODER, ClipArchitecture.class),
              architecture(networks, FluxNetwork.TEXT_ENCODER_2, T5Architecture.class),
              architecture(networks, FluxNetwork.VAE_DECODER, VaeArchitecture.class),
              dtypes,
              tokenizers.object(TOKENIZER).integer("maxLength"),
              tokenizers.object(TOKENIZER_2).integer("maxLength"),
              RecordJson.read(manifest.object("scheduler"), SchedulerSettings.class),
              sources,
              adapters(file, manifest));
    } catch (IllegalArgumentException e) {
      throw new BundleException(file + ": " + e.getMessage() + "; " + REPAIR, e);
    }
    if (version > VERSION_WITHOUT_FILES || manifest.has(BundleFiles.KEY)) {
      BundleFiles.parse(manifest); // well-formed, for verify
    }
    Optional<String> unread = manifest.unread();
    if (unread.isPresent()) {
      throw new BundleException(
          file
              + ": "
              + unread.get()
              + ": expected no such entry in format version "
              + FORMAT_VERSION
              + ", and passing over it could change the images; use the version of this library"
              + " that made the bundle");
    }
    return bundle;
  }

  private static <R extends Record> R architecture(
      StrictJson networks, FluxNetwork network, Class<R> type) throws IOException {
    return RecordJson.read(networks.object(network.key()).object("architecture"), type);
  }

  private static SourceFile source(Path file, StrictJson source) throws IOException {
    String key = source.string("network");
    for (FluxNetwork network : FluxNetwork.values()) {
      if (network.key().equals(key)) {
        try {
          return new SourceFile(
              network,
              source.string("file"),
              source.longInteger("bytes"),
              source.optionalString("sha256"));
        } catch (IllegalArgumentException e) {
          throw new BundleException(file + ": sources: " + e.getMessage() + "; " + REPAIR, e);
        }
      }
    }
    throw source.wrong("network", "the name of a network", key);
  }

  private static List<MergedAdapter> adapters(Path file, StrictJson manifest) throws IOException {
    if (!manifest.has("adapters")) {
      return List.of();
    }
    List<MergedAdapter> adapters = new ArrayList<>();
    for (StrictJson entry : manifest.objects("adapters")) {
      try {
        adapters.add(
            new MergedAdapter(
                entry.string("file"),
                entry.number("scale"),
                entry.longInteger("bytes"),
                entry.string("sha256")));
      } catch (IllegalArgumentException e) {
        throw new BundleException(file + ": adapters: " + e.getMessage() + "; " + REPAIR, e);
      }
    }
    return adapters;
  }

  private void requireFiles() throws IOException {
    for (FluxNetwork network : FluxNetwork.values()) {
      Path file = file(network);
      if (!Files.isRegularFile(file) || Files.size(file) == 0) {
        throw new BundleException(
            file
                + ": expected the TorchScript file of this bundle's "
                + network.key()
                + ", found "
                + (Files.exists(file) ? "no content" : "nothing")
                + "; convert the checkpoint again or put your own module there");
      }
    }
    for (Path tokenizer : List.of(clipTokenizer(), t5Tokenizer())) {
      if (!Files.isDirectory(tokenizer)) {
        throw new BundleException(
            tokenizer
                + ": expected the folder of a tokenizer, found "
                + (Files.exists(tokenizer) ? "a file" : "nothing")
                + "; convert the checkpoint again");
      }
    }
  }

  /**
   * Returns where a network's TorchScript file is.
   *
   * @param network the network
   * @return a path in {@link #folder}
   */
  public Path file(FluxNetwork network) {
    return folder.resolve(network.fileName());
  }

  /**
   * Returns where the TorchScript file with the transformer's modulation is. A bundle need not have
   * one if its transformer modulates by itself.
   *
   * @return a path in {@link #folder}, or empty if there is no such file
   */
  public Optional<Path> modulation() {
    return Optional.of(folder.resolve(MODULATION)).filter(Files::isRegularFile);
  }

  /**
   * Returns where the TorchScript file with the autoencoder's encoder is. Its sizes are those of
   * the decoder. Bundles have one unless the checkpoint had none or they were made by an older
   * version.
   *
   * @return a path in {@link #folder}, or empty if there is no such file
   */
  public Optional<Path> vaeEncoder() {
    return Optional.of(folder.resolve(VAE_ENCODER)).filter(Files::isRegularFile);
  }

  /**
   * Returns where the autoencoder's encoder is, for a request that starts from a picture or wants
   * previews.
   *
   * @return a path in {@link #folder}
   * @throws BundleException if there is no such file
   */
  public Path requireVaeEncoder() throws BundleException {
    return vaeEncoder()
        .orElseThrow(
            () ->
                new BundleException(
                    folder.resolve(VAE_ENCODER)
                        + ": expected the encoder, which pictures to start from, second passes and"
                        + " previews need, found nothing; convert the checkpoint again, with an"
                        + " autoencoder that has one"));
  }

  /**
   * Returns where the transformer's modulation is, for a transformer that takes it.
   *
   * @return a path in {@link #folder}
   * @throws BundleException if there is no such file
   */
  public Path requireModulation() throws BundleException {
    return modulation()
        .orElseThrow(
            () ->
                new BundleException(
                    folder.resolve(MODULATION)
                        + ": expected the modulation that "
                        + FluxNetwork.TRANSFORMER.fileName()
                        + " takes, found nothing; convert the checkpoint again"));
  }

  /**
   * Returns where CLIP's tokenizer is.
   *
   * @return a path in {@link #folder}
   */
  public Path clipTokenizer() {
    return folder.resolve(TOKENIZER);
  }

  /**
   * Returns where T5's tokenizer is.
   *
   * @return a path in {@link #folder}
   */
  public Path t5Tokenizer() {
    return folder.resolve(TOKENIZER_2);
  }

  /**
   * Returns this description of a bundle that lies elsewhere.
   *
   * @param other the other folder
   * @return a copy
   */
  public FluxBundle at(Path other) {
    return new FluxBundle(
        other,
        libraryVersion,
        transformer,
        textEncoder,
        textEncoder2,
        vaeDecoder,
        dtypes,
        clipTokens,
        t5Tokens,
        scheduler,
        sources,
        adapters);
  }

  /**
   * Writes {@code manifest.json} into {@link #folder}, in place of an existing one, with the size
   * and the CRC-32C of every file that lies there.
   *
   * @throws IOException if it cannot be written
   */
  public void writeManifest() throws IOException {
    writeManifest(Verification.FAST, ReadProgress.NONE);
  }

  /**
   * Writes {@code manifest.json} anew for the files that lie in {@link #folder} now, with SHA-256
   * if the manifest that lies there has any: after a module of your own was put in place of one.
   *
   * @throws IOException if a file cannot be read or the manifest cannot be written
   */
  public void acceptFiles() throws IOException {
    StrictJson manifest = manifest(folder.resolve(MANIFEST));
    List<BundleFiles.Entry> entries =
        manifest.has(BundleFiles.KEY) ? BundleFiles.parse(manifest) : List.of();
    boolean hashed =
        sources.stream().anyMatch(source -> source.sha256().isPresent())
            || entries.stream().anyMatch(entry -> entry.sha256().isPresent());
    writeManifest(hashed ? Verification.FULL : Verification.FAST, ReadProgress.NONE);
  }

  /**
   * Writes {@code manifest.json} with more or less of what {@link #verify} compares. An older one
   * gives way to it in one step, when it is complete and on the disk.
   *
   * @param recorded FULL for SHA-256 too; NONE is taken for FAST
   * @param progress told of the bytes read
   * @throws IOException if it cannot be written
   */
  public void writeManifest(Verification recorded, ReadProgress progress) throws IOException {
    JsonObject networks = new JsonObject();
    for (FluxNetwork network : FluxNetwork.values()) {
      JsonObject entry = new JsonObject();
      entry.addProperty("dtype", dtype(network).safetensorsName());
      entry.add("architecture", RecordJson.write((Record) architecture(network)));
      networks.add(network.key(), entry);
    }
    JsonObject tokenizers = new JsonObject();
    tokenizers.add(TOKENIZER, maxLength(clipTokens));
    tokenizers.add(TOKENIZER_2, maxLength(t5Tokens));
    JsonArray files = new JsonArray();
    for (SourceFile source : sources) {
      JsonObject entry = new JsonObject();
      entry.addProperty("network", source.network().key());
      entry.addProperty("file", source.name());
      entry.addProperty("bytes", source.bytes());
      source.sha256().ifPresent(hash -> entry.addProperty("sha256", hash));
      files.add(entry);
    }
    JsonObject manifest = new JsonObject();
    manifest.addProperty("format", FORMAT);
    manifest.addProperty("formatVersion", FORMAT_VERSION);
    manifest.addProperty("libraryVersion", libraryVersion);
    manifest.add("networks", networks);
    manifest.add("tokenizers", tokenizers);
    manifest.add("scheduler", RecordJson.write(scheduler));
    manifest.add("sources", files);
    if (!adapters.isEmpty()) {
      JsonArray merged = new JsonArray();
      for (MergedAdapter adapter : adapters) {
        JsonObject entry = new JsonObject();
        entry.addProperty("file", adapter.name());
        entry.addProperty("scale", adapter.scale());
        entry.addProperty("bytes", adapter.bytes());
        entry.addProperty("sha256", adapter.sha256());
        merged.add(entry);
      }
      manifest.add("adapters", merged);
    }
    manifest.add(
        BundleFiles.KEY, BundleFiles.describe(folder, recorded == Verification.FULL, progress));
    replaceManifest(GSON.toJson(manifest) + "\n");
  }

  private void replaceManifest(String text) throws IOException {
    Path unfinished = folder.resolve(BundleFiles.UNFINISHED + UUID.randomUUID());
    try {
      try (FileChannel channel =
          FileChannel.open(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(unfinished, folder.resolve(MANIFEST), StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(unfinished);
    }
  }

  /**
   * Returns the element type of a network's weights.
   *
   * @return the type
   */
  public DType dtype(FluxNetwork network) {
    return Objects.requireNonNull(dtypes.get(network), network.key());
  }

  /**
   * Returns the sizes of a network.
   *
   * @return its sizes
   */
  public Architecture architecture(FluxNetwork network) {
    return switch (network) {
      case TRANSFORMER -> transformer;
      case TEXT_ENCODER -> textEncoder;
      case TEXT_ENCODER_2 -> textEncoder2;
      case VAE_DECODER -> vaeDecoder;
    };
  }

  private static JsonObject maxLength(int tokens) {
    JsonObject entry = new JsonObject();
    entry.addProperty("maxLength", tokens);
    return entry;
  }
}
