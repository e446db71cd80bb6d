package io.jitflow.examples.cli;

import io.jitflow.examples.bench.Amounts;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionOptions;
import io.jitflow.flux.convert.ConversionOptions.Checksums;
import io.jitflow.flux.convert.ConversionOptions.ExistingBundle;
import io.jitflow.flux.convert.FluxCheckpoint;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jit convert}: a downloaded checkpoint to a bundle folder. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Turn a downloaded checkpoint into a bundle, the folder that the other commands load.",
      "",
      "CHECKPOINT is a diffusers folder (model_index.json, transformer/, vae/, text_encoder/,"
          + " text_encoder_2/, tokenizer/, tokenizer_2/). For the original single files give the"
          + " folder with the text encoders and tokenizers, and name the files with --transformer"
          + " and --vae. The checkpoint is not changed.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  jit convert ~/models/FLUX.1-schnell schnell-bundle",
      "  jit convert ~/models/FLUX.1-dev dev-bundle --dtype f16",
      "  jit convert ~/models/FLUX.1-dev dev-bundle --transformer flux1-dev.safetensors"
          + " --vae ae.safetensors",
      "  jit convert ~/models/FLUX.1-dev styled-bundle --lora style.safetensors:0.8",
      ""
    })
final class ConvertCommand implements Callable<Integer> {

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "CHECKPOINT", description = "The folder of the download.")
  private Path checkpoint;

  @Parameters(index = "1", paramLabel = "BUNDLE", description = "The folder to make.")
  private Path target;

  @Mixin private DtypeOption dtype;
  @Mixin private LoraOption lora;

  @Option(
      names = "--transformer",
      paramLabel = "FILE",
      description = "Take the transformer from this file, for example flux1-dev.safetensors.")
  private Path transformer;

  @Option(
      names = "--vae",
      paramLabel = "FILE",
      description = "Take the autoencoder from this file, for example ae.safetensors.")
  private Path vae;

  @Option(
      names = "--rope-axes",
      paramLabel = "N",
      split = ",",
      description =
          "How the rotary embedding divides a head, for single files of models with other heads"
              + " than FLUX.1's: 16,56,56 there.")
  private List<Integer> ropeAxes;

  @Option(
      names = "--text-tokens",
      paramLabel = "N",
      description = "How much of a prompt T5 reads. Default: 512 with guidance (dev), else 256.")
  private Integer textTokens;

  @Option(
      names = "--no-checksums",
      description = "Do not record SHA-256 of the source files, which saves reading them twice.")
  private boolean noChecksums;

  @Option(
      names = "--overwrite",
      description = "Replace an existing bundle once the new one is complete.")
  private boolean overwrite;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    FluxCheckpoint source = source();
    long start = System.nanoTime();
    FluxBundle bundle = Conversion.run(source, target, options(), main.interrupt());
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    long bytes = 0;
    for (FluxNetwork network : FluxNetwork.values()) {
      bytes += Files.size(bundle.file(network));
    }
    out.printf(
        "%s: %s in %s (%.0f MB/s)%n",
        target,
        Amounts.bytes(bytes),
        Amounts.time(took),
        bytes / 1e6 / Math.max(1e-3, took.toNanos() / 1e9));
    out.flush();
    return 0;
  }

  private FluxCheckpoint source() throws IOException {
    FluxCheckpoint source;
    if (transformer != null && vae != null) {
      source = FluxCheckpoint.ofOriginalFiles(transformer, vae, checkpoint);
    } else {
      source = FluxCheckpoint.ofDirectory(checkpoint);
      source = transformer == null ? source : source.withTransformer(transformer);
      source = vae == null ? source : source.withVae(vae);
    }
    return ropeAxes == null ? source : source.withRopeAxes(ropeAxes);
  }

  private ConversionOptions options() {
    try {
      ConversionOptions options =
          ConversionOptions.defaults()
              .withDtype(dtype.dtype())
              .withAdapters(lora.adapters())
              .withChecksums(noChecksums ? Checksums.NONE : Checksums.SHA256)
              .withExisting(overwrite ? ExistingBundle.REPLACE : ExistingBundle.KEEP);
      return textTokens == null ? options : options.withT5Tokens(textTokens);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** The type of the weights in a bundle. */
  static final class DtypeOption {

    @Option(
        names = "--dtype",
        paramLabel = "TYPE",
        defaultValue = "bf16",
        description =
            "Type of the weights in the bundle that is made of a checkpoint:"
                + " ${COMPLETION-CANDIDATES}. A bundle keeps the type that it has. Default:"
                + " ${DEFAULT-VALUE}.")
    private Dtype dtype;

    DType dtype() {
      return dtype.type;
    }

    /** The type as it was given. */
    String word() {
      return dtype.name();
    }

    /** The types that the converter writes, in the words of a command line. */
    enum Dtype {
      bf16(DType.BF16),
      f16(DType.F16),
      f32(DType.F32),
      int8(DType.I8);

      private final DType type;

      Dtype(DType type) {
        this.type = type;
      }

      DType type() {
        return type;
      }
    }
  }
}
