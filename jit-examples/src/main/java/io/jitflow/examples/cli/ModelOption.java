package io.jitflow.examples.cli;

import ai.djl.Device;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxOptions.Arithmetic;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.ConversionOptions.ExistingBundle;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/**
 * The model to run: a bundle, or a checkpoint that is converted on first use and kept in a cache
 * folder.
 */
final class ModelOption {

  private static final Pattern GPU = Pattern.compile("gpu(?::(\\d{1,3}))?");

  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FOLDER",
      required = true,
      defaultValue = "${env:JIT_MODEL}",
      description =
          "A bundle, or a diffusers checkpoint, which is converted on first use. Default: the"
              + " environment variable JIT_MODEL.")
  private Path model;

  @Mixin private ConvertCommand.DtypeOption dtype;
  @Mixin private LoraOption lora;

  @Option(
      names = "--cache",
      paramLabel = "FOLDER",
      defaultValue = "${env:JIT_CACHE:-${sys:user.home}/.cache/jitflow}",
      description = "Where bundles of converted checkpoints are kept. Default: ${DEFAULT-VALUE}.")
  private Path cache;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "cpu, gpu or gpu:1. Default: the first GPU if there is one, else the CPU.")
  private String device;

  @Option(
      names = "--memory",
      paramLabel = "POLICY",
      defaultValue = "auto",
      description =
          "What is on the device at the same time: resident (all networks), sequential (one after"
              + " the other), streamed (one layer's weights), or auto, the first of these that"
              + " fits. Default: ${DEFAULT-VALUE}.")
  private MemoryName memory;

  @Option(names = "--low-memory", description = "The same as --memory sequential.")
  private boolean lowMemory;

  /** {@link MemoryPolicy} in the words of a command line. */
  enum MemoryName {
    auto(MemoryPolicy.AUTO),
    resident(MemoryPolicy.RESIDENT),
    sequential(MemoryPolicy.SEQUENTIAL),
    streamed(MemoryPolicy.STREAMED);

    private final MemoryPolicy policy;

    MemoryName(MemoryPolicy policy) {
      this.policy = policy;
    }

    MemoryPolicy policy() {
      return policy;
    }
  }

  @Option(
      names = "--arithmetic",
      paramLabel = "TYPE",
      defaultValue = "auto",
      description =
          "In which type the networks compute: ${COMPLETION-CANDIDATES}. Default: on a CPU bfloat16"
              + " only where its processor has units for it, else float32; on a GPU as stored.")
  private ArithmeticName arithmetic;

  @Option(
      names = "--verify",
      paramLabel = "HOW",
      defaultValue = "fast",
      description =
          "How the bundle's files are compared with its manifest: ${COMPLETION-CANDIDATES} (fast:"
              + " CRC-32C, full: SHA-256). Default: ${DEFAULT-VALUE}.")
  private VerificationName verify;

  /** {@link Verification} in the words of a command line. */
  enum VerificationName {
    fast(Verification.FAST),
    full(Verification.FULL),
    none(Verification.NONE);

    private final Verification verification;

    VerificationName(Verification verification) {
      this.verification = verification;
    }
  }

  /** {@link Arithmetic} in the words of a command line. */
  enum ArithmeticName {
    auto(Arithmetic.AUTO),
    float32(Arithmetic.FLOAT32),
    stored(Arithmetic.AS_STORED);

    private final Arithmetic arithmetic;

    ArithmeticName(Arithmetic arithmetic) {
      this.arithmetic = arithmetic;
    }

    Arithmetic value() {
      return arithmetic;
    }
  }

  /** The description of the model, after a conversion if that is needed; nothing is loaded. */
  FluxBundle describe(Interrupt interrupt, PrintWriter err) throws IOException {
    interrupt.cleansUp();
    options(); // a wrong one is told first
    FluxBundle bundle = FluxBundle.read(bundle(interrupt, err));
    checkDtype(bundle);
    return bundle;
  }

  /** A bundle is not converted again. */
  private void checkDtype(FluxBundle bundle) {
    DType found = bundle.dtype(FluxNetwork.TRANSFORMER);
    if (isGiven("--dtype") && found != dtype.dtype()) {
      throw new ParameterException(
          spec.commandLine(),
          "--dtype %s is for a checkpoint, found a bundle of %s (%s); leave it out or convert anew"
              .formatted(dtype.word(), found, bundle.folder()));
    }
  }

  /** Whether the user wrote it, if only to say what it is anyway. */
  private boolean isGiven(String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }

  /**
   * Loads the pipeline if it can serve a request; tells by the progress what it does.
   *
   * @throws ParameterException if it cannot
   */
  FluxPipeline load(FluxBundle bundle, ImageRequest request, Interrupt interrupt, Progress progress)
      throws IOException {
    FluxOptions options = options();
    try {
      FluxPipeline.check(bundle.folder(), options, request);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
    interrupt.check();
    return FluxPipeline.load(
        bundle.folder(),
        options,
        activity -> {
          interrupt.check();
          progress.onActivity(activity);
        });
  }

  private FluxOptions options() {
    FluxOptions options =
        FluxOptions.defaults()
            .withArithmetic(arithmetic.arithmetic)
            .withAdapters(lora.adapters())
            .withVerification(verify.verification)
            .withMemory(memory.policy);
    if (lowMemory) {
      if (isGiven("--memory") && memory != MemoryName.sequential) {
        throw new ParameterException(
            spec.commandLine(),
            "--low-memory means --memory sequential, found --memory %s too; leave one of them out"
                .formatted(memory));
      }
      options = options.withMemory(MemoryPolicy.SEQUENTIAL);
    }
    if (device == null) {
      return options;
    }
    String name = device.toLowerCase(Locale.ROOT);
    if (name.equals("cpu")) {
      return options.withDevice(Device.cpu());
    }
    Matcher gpu = GPU.matcher(name);
    if (!gpu.matches()) {
      throw new ParameterException(
          spec.commandLine(), "--device must be cpu, gpu or gpu:N, got '%s'".formatted(device));
    }
    int number = gpu.group(1) == null ? 0 : Integer.parseInt(gpu.group(1));
    try {
      return options.withDevice(Device.gpu(number)).check();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(
          spec.commandLine(), "--device %s: %s".formatted(device, e.getMessage()), e);
    }
  }

  private Path bundle(Interrupt interrupt, PrintWriter err) throws IOException {
    if (model.toString().isBlank()) {
      throw new ParameterException(
          spec.commandLine(),
          "--model is empty; name a bundle or a checkpoint, or unset JIT_MODEL");
    }
    if (cache.toString().isBlank()) {
      throw new ParameterException(
          spec.commandLine(), "--cache is empty; name a folder, or unset JIT_CACHE");
    }
    if (!Files.exists(model.resolve("model_index.json"))
        || Files.exists(model.resolve(FluxBundle.MANIFEST))) {
      return model; // a bundle, or nothing usable, which loading it will explain
    }
    Path kept = cache.resolve(bundleName());
    makeCache();
    if (Files.exists(kept.resolve(FluxBundle.MANIFEST))) {
      return kept;
    }
    err.printf("%s is a checkpoint; converting it once into %s%n", model, kept);
    err.flush();
    ConversionOptions options =
        ConversionOptions.defaults().withDtype(dtype.dtype()).withExisting(ExistingBundle.REPLACE);
    Conversion.run(FluxCheckpoint.ofDirectory(model), kept, options, interrupt);
    return kept;
  }

  private void makeCache() throws IOException {
    try {
      Files.createDirectories(cache);
    } catch (IOException e) {
      throw new IOException(
          "%s: the folder for converted checkpoints cannot be made (%s); choose another --cache, or convert yourself"
              .formatted(cache, e.getClass().getSimpleName()),
          e);
    }
    if (!Files.isWritable(cache)) {
      throw new IOException(
          "%s: no permission to write into the folder for converted checkpoints; choose another --cache, or convert yourself"
              .formatted(cache));
    }
  }

  /** The checkpoint's name and type, and a hash of what would change if it were replaced. */
  private String bundleName() throws IOException {
    Path folder = model.toRealPath();
    StringBuilder state =
        new StringBuilder(folder.toString()).append(" as ").append(FluxBundle.FORMAT_VERSION);
    try (Stream<Path> files = Files.walk(folder)) {
      files
          .filter(Files::isRegularFile)
          .sorted()
          .forEach(
              file -> {
                try {
                  state.append('\n').append(file).append(' ').append(Files.size(file));
                  state.append(' ').append(Files.getLastModifiedTime(file).toMillis());
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(state.toString().getBytes(StandardCharsets.UTF_8));
      return "%s-%s-%s"
          .formatted(
              folder.getFileName(),
              dtype.dtype().name().toLowerCase(Locale.ROOT),
              HexFormat.of().formatHex(hash, 0, 4));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
