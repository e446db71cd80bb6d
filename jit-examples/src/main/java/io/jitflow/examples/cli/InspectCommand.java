package io.jitflow.examples.cli;

import io.jitflow.examples.bench.Amounts;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.bundle.MergedAdapter;
import io.jitflow.flux.bundle.SourceFile;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.ConversionPlan;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.convert.FluxConverter;
import io.jitflow.flux.image.ImageOrigin;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.naming.Layout;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code jit inspect}: what is in a checkpoint, a bundle or an image. */
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {"Say what is in a checkpoint, a bundle or an image; only headers are read.", ""},
    footer = {
      "",
      "Examples:",
      "  jit inspect ~/models/FLUX.1-dev              a diffusers folder",
      "  jit inspect flux1-dev.safetensors --tensors  a single file, tensor by tensor",
      "  jit inspect dev-bundle                       what 'jit convert' made",
      "  jit inspect fox.png                          the request an image was made from",
      ""
    })
final class InspectCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "PATH",
      description = "A checkpoint folder, .safetensors file or index, bundle folder, or PNG file.")
  private Path path;

  @Option(names = "--tensors", description = "List every tensor with type, shape and size.")
  private boolean tensors;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = Printable.writer(spec.commandLine().getOut());
    String name = path.toString().toLowerCase(Locale.ROOT);
    if (!Files.exists(path)) {
      throw new NoSuchFileException(
          path.toString(), null, "expected a checkpoint, a bundle or an image");
    }
    if (name.endsWith(".png")) {
      image(out);
    } else if (Files.isRegularFile(path)) {
      network(out, path.toString(), path);
    } else if (Files.exists(path.resolve(FluxBundle.MANIFEST))) {
      bundle(out);
    } else {
      checkpoint(out);
    }
    out.flush();
    return 0;
  }

  private void image(PrintWriter out) throws IOException {
    ImageOrigin origin = ImageOrigin.read(path);
    ImageRequest request = origin.request();
    out.printf("%s: %d x %d px%n", path, request.widthPx(), request.heightPx());
    out.printf("  prompt    %s%n", request.prompt());
    request
        .negativePrompt()
        .ifPresent(text -> out.printf("  negative  %s (CFG %s)%n", text, request.trueCfgScale()));
    request.seed().ifPresent(seed -> out.printf("  seed      %d%n", seed));
    out.printf("  guidance  %s%n", request.guidance());
    request
        .sampler()
        .ifPresent(
            sampler ->
                out.printf(
                    "  sampler   %s, %d steps%n",
                    SamplerOptions.describe(sampler), sampler.steps()));
    out.printf("  model     %s%n", origin.model());
    out.printf("  request   %s%n", request);
  }

  private void bundle(PrintWriter out) throws IOException {
    FluxBundle bundle = FluxBundle.read(path);
    out.printf("%s: bundle, made by version %s%n", path, bundle.libraryVersion());
    for (FluxNetwork network : FluxNetwork.values()) {
      NetworkProgram program = NetworkProgram.of(bundle.architecture(network));
      out.printf(
          "%n%s: %s parameters, %s, %s%n",
          network.key(),
          Amounts.count(parameters(program)),
          bundle.dtypes().get(network),
          Amounts.bytes(Files.size(bundle.file(network))));
      out.println("  " + sizes((Record) bundle.architecture(network)));
      if (tensors) {
        program
            .tensors()
            .forEach(
                (name, shape) -> out.printf("  %s %s%n", name, java.util.Arrays.toString(shape)));
      }
    }
    out.printf(
        "%nvae_encoder: %s%n",
        bundle.vaeEncoder().isPresent()
            ? "yes, requests may start from a picture"
            : "none, requests cannot start from a picture");
    out.printf("%ntext: CLIP reads %d tokens, T5 %d%n", bundle.clipTokens(), bundle.t5Tokens());
    out.println("scheduler: " + sizes(bundle.scheduler()));
    if (!bundle.sources().isEmpty()) {
      out.println();
      out.println("made from:");
      for (SourceFile source : bundle.sources()) {
        out.printf(
            "  %s (%s)%s%n",
            source.name(),
            Amounts.bytes(source.bytes()),
            source.sha256().map(hash -> " sha256 " + hash).orElse(""));
      }
    }
    if (!bundle.adapters().isEmpty()) {
      out.println();
      out.println("adapters merged into the weights:");
      for (MergedAdapter adapter : bundle.adapters()) {
        out.printf(
            "  %s, scale %s (%s) sha256 %s%n",
            adapter.name(), adapter.scale(), Amounts.bytes(adapter.bytes()), adapter.sha256());
      }
    }
  }

  private static long parameters(NetworkProgram program) {
    return program.tensors().values().stream()
        .mapToLong(shape -> java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b))
        .sum();
  }

  /** {@code Sizes[width=3, heads=2]} as {@code width 3, heads 2}. */
  private static String sizes(Record sizes) {
    String text = sizes.toString();
    return text.substring(text.indexOf('[') + 1, text.length() - 1).replace('=', ' ');
  }

  private void checkpoint(PrintWriter out) throws IOException {
    List<Path> parts = new ArrayList<>();
    try (Stream<Path> entries = Files.list(path)) {
      for (Path entry : (Iterable<Path>) entries.sorted()::iterator) {
        if (Files.isDirectory(entry) ? hasWeights(entry) : isWeights(entry)) {
          parts.add(entry);
        }
      }
    }
    boolean shards = parts.stream().anyMatch(part -> part.toString().endsWith(".index.json"));
    if (shards) {
      parts = List.of(path); // the folder of one network
    }
    if (parts.isEmpty()) {
      throw new IOException(
          path
              + ": expected a checkpoint or a bundle, found no .safetensors file and no "
              + FluxBundle.MANIFEST);
    }
    out.printf("%s: checkpoint%n", path);
    for (Path part : parts) {
      out.println();
      network(out, part.equals(path) ? path.toString() : part.getFileName().toString(), part);
    }
    if (Files.exists(path.resolve("model_index.json"))) {
      conversion(out);
    }
  }

  /** What a conversion would read and make; fails where that would fail. */
  private void conversion(PrintWriter out) throws IOException {
    out.flush(); // an error follows what is known
    ConversionPlan plan =
        FluxConverter.plan(FluxCheckpoint.ofDirectory(path), ConversionOptions.defaults());
    out.println();
    for (ConversionPlan.Network network : plan.networks()) {
      out.printf("%s: %s%n", network.network().key(), sizes(network.architecture()));
    }
    out.println("scheduler: " + sizes(plan.scheduler()));
    out.printf(
        "%ncomplete: every tensor has its place; a bundle in bf16 takes %s%n",
        Amounts.bytes(plan.requiredBytes()));
  }

  private static boolean hasWeights(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.anyMatch(InspectCommand::isWeights);
    }
  }

  private static boolean isWeights(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json");
  }

  private void network(PrintWriter out, String title, Path part) throws IOException {
    try (TensorFiles files = TensorFiles.open(part)) {
      long parameters = 0;
      Map<DType, Long> bytesOfType = new EnumMap<>(DType.class);
      for (TensorInfo tensor : files.tensors().values()) {
        parameters += tensor.elementCount();
        bytesOfType.merge(tensor.dtype(), tensor.byteSize(), Long::sum);
      }
      StringJoiner types = new StringJoiner(", ");
      bytesOfType.forEach((type, bytes) -> types.add(type + " " + Amounts.bytes(bytes)));
      out.printf(
          "%s: %s%n  %,d tensors in %d file%s, %s parameters, %s%n",
          title,
          kind(files),
          files.tensors().size(),
          files.files().size(),
          files.files().size() == 1 ? "" : "s",
          Amounts.count(parameters),
          types);
      if (tensors) {
        for (TensorInfo tensor : files.tensors().values()) {
          out.printf(
              "  %s %s %s %s%n",
              tensor.name(), tensor.dtype(), tensor.shape(), Amounts.bytes(tensor.byteSize()));
        }
      }
    }
  }

  /** What the names of the tensors say. */
  private static String kind(TensorFiles files) {
    List<String> parts = Layout.parts(files.names());
    if (!parts.isEmpty()) {
      return "several parts of a model in one file (%s*), which convert does not take"
          .formatted(String.join("*, ", parts));
    }
    int prefix = Layout.prefix(files.names()).length();
    List<String> names = files.names().stream().map(name -> name.substring(prefix)).toList();
    Optional<Layout> known = Layout.of(names);
    if (known.isEmpty()) {
      return "a network of another kind";
    }
    Layout layout = known.get();
    long blocks = blocks(names, layout.blocks());
    return switch (layout) {
      case ORIGINAL_TRANSFORMER ->
          transformer("original", names, "guidance_in.", blocks, "single_blocks.");
      case DIFFUSERS_TRANSFORMER ->
          transformer(
              "diffusers",
              names,
              "time_text_embed.guidance_embedder.",
              blocks,
              "single_transformer_blocks.");
      case ORIGINAL_VAE -> "autoencoder, original layout";
      case DIFFUSERS_VAE -> "autoencoder, diffusers layout";
      case CLIP, BARE_CLIP -> "CLIP text encoder, %d layers".formatted(blocks);
      case T5 -> "T5 encoder, %d layers".formatted(blocks);
    };
  }

  private static String transformer(
      String layout, Collection<String> names, String guidance, long doubleBlocks, String single) {
    return "FLUX.1 transformer, %s layout, %s, %d double and %d single blocks"
        .formatted(
            layout,
            has(names, guidance) ? "with guidance (dev)" : "without guidance (schnell)",
            doubleBlocks,
            blocks(names, single));
  }

  private static boolean has(Collection<String> names, String prefix) {
    return names.stream().anyMatch(name -> name.startsWith(prefix));
  }

  private static long blocks(Collection<String> names, String prefix) {
    return names.stream()
        .filter(name -> name.startsWith(prefix))
        .map(name -> name.substring(prefix.length()).split("\\.", 2)[0])
        .distinct()
        .count();
  }
}
