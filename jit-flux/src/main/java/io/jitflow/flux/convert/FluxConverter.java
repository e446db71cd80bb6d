package io.jitflow.flux.convert;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.convert.ConversionListener.Progress.Step;
import io.jitflow.flux.convert.ConversionOptions.Checksums;
import io.jitflow.flux.file.BrokenFileException;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.safetensors.SafetensorsException;
import io.jitflow.flux.safetensors.SafetensorsFile;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes a bundle from a checkpoint.
 *
 * <p>Everything is checked before the first byte is written: files, configurations, the mapping of
 * every tensor, room on the disk. Weights stream from the mapped files into the archives, so the
 * heap needed does not depend on the size of the model. All tensors of a network get its type,
 * norms and biases included; exceptions are T5's {@code DenseReluDense.wo}, which stays F32 in an
 * F16 network, and I8, which the matrices of the transformer's blocks and of T5's get, with a scale
 * for each row, while the rest is BF16. Narrowing rounds to nearest even; a value beyond the type's
 * range is an error.
 *
 * <p>The bundle is written to a hidden folder beside the target ({@code .NAME.partial-*}) and moved
 * when it is complete and on the disk. An error, an interruption of the thread, or an exception of
 * the listener removes that folder; only the end of the process leaves it behind. Files of the
 * checkpoint must not change meanwhile. Stateless; several conversions may run at once.
 */
public final class FluxConverter {
  private static final int HASH_BYTES = 1 << 20;

  private FluxConverter() {}

  /**
   * Looks what a conversion would make, without writing anything.
   *
   * @param checkpoint the parts of the model
   * @param options what to make
   * @return sizes, mappings and room needed
   * @throws BrokenFileException if a file is missing, damaged, malformed or not supported, or the
   *     files do not make a FLUX.1 model
   * @throws IOException if something cannot be read
   */
  public static ConversionPlan plan(FluxCheckpoint checkpoint, ConversionOptions options)
      throws IOException {
    try (OpenCheckpoint open = OpenCheckpoint.open(checkpoint, Path.of(""), options)) {
      return open.plan();
    }
  }

  /**
   * Converts a checkpoint.
   *
   * @param checkpoint the parts of the model
   * @param target folder to make; its parent is made if necessary
   * @param options what to make
   * @param listener is told of the progress
   * @return the bundle's folder, the target
   * @throws BrokenFileException if a file is missing, damaged, malformed or not supported, the
   *     files do not make a FLUX.1 model, the target is taken, or the disk has not enough room
   * @throws InterruptedIOException if the thread was interrupted; its interrupt status is set
   * @throws IOException if something cannot be read or written
   * @throws IllegalArgumentException if the target has no name
   */
  public static Path convert(
      FluxCheckpoint checkpoint,
      Path target,
      ConversionOptions options,
      ConversionListener listener)
      throws IOException {
    Objects.requireNonNull(listener, "listener");
    StagedFolder.requireFree(target, options.existing());
    try (OpenCheckpoint open = OpenCheckpoint.open(checkpoint, target, options)) {
      try (StagedFolder staged = StagedFolder.create(target, options.existing())) {
        requireRoom(target, open.plan().requiredBytes());
        write(open, staged.path(), options, listener);
        open.requireUnchanged();
        staged.moveToTarget();
        return target;
      }
    } catch (ClosedByInterruptException e) {
      throw interrupted(e);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * Records the files of a bundle anew in its manifest, as they are: after a module of one's own
   * was put in place of one of them. It records SHA-256 again if it did before. The old manifest or
   * the new one is there at any moment, whole.
   *
   * @param bundle the bundle's folder
   * @throws BrokenFileException if the bundle is incomplete or of another version
   * @throws IOException if a file cannot be read, or the manifest not be written
   */
  public static void acceptFiles(Path bundle) throws IOException {
    FluxBundle.read(bundle).acceptFiles();
  }

  private static void requireRoom(Path target, long required) throws IOException {
    Path parent = StagedFolder.parent(target);
    requireRoom(parent, required, Files.getFileStore(parent).getUsableSpace());
  }

  static void requireRoom(Path parent, long required, long usable) throws CheckpointException {
    if (required > usable) {
      throw new CheckpointException(
          "%s: expected room for a bundle of %s, found %s; free %s, choose another disk or a smaller type"
              .formatted(parent, amount(required), amount(usable), amount(required - usable)));
    }
  }

  private static String amount(long bytes) {
    return bytes < 1_000_000_000
        ? "%d MB".formatted((bytes + 999_999) / 1_000_000)
        : "%d.%02d GB".formatted(bytes / 1_000_000_000, bytes / 10_000_000 % 100);
  }

  private static void write(
      OpenCheckpoint open, Path folder, ConversionOptions options, ConversionListener listener)
      throws IOException {
    boolean hashing = options.checksums() == Checksums.SHA256;
    Progress progress =
        new Progress(listener, open.outputBytes() + (hashing ? open.sourceBytes() : 0));
    Map<SafetensorsFile, String> hashes = new HashMap<>();
    for (NetworkPlan plan : open.networks()) {
      if (hashing) {
        for (SafetensorsFile file : plan.files().files()) {
          hashes.put(file, sha256(file.path(), plan, progress));
        }
      }
      writeNetwork(plan, open.dtype(plan), folder, progress);
    }
    open.copyTokenizers(folder);
    FluxBundle about = open.description();
    FluxBundle bundle =
        new FluxBundle(
            folder,
            about.libraryVersion(),
            about.transformer(),
            about.textEncoder(),
            about.textEncoder2(),
            about.vaeDecoder(),
            about.dtypes(),
            about.clipTokens(),
            about.t5Tokens(),
            about.scheduler(),
            open.sources(hashes),
            about.adapters());
    bundle.writeManifest(
        hashing ? Verification.FULL : Verification.FAST,
        (name, done, total) -> progress.stay(Step.CHECKSUM, name));
    FluxBundle.read(folder); // what was written can be read
  }

  private static void writeNetwork(NetworkPlan plan, DType dtype, Path folder, Progress progress)
      throws IOException {
    for (Map.Entry<String, NetworkProgram> program : plan.programs(dtype).entrySet()) {
      Function<String, TensorSource> sources = plan.sources(program.getValue(), dtype);
      Path file = folder.resolve(program.getKey());
      progress.begin(Step.WRITE, plan, program.getKey());
      try {
        program
            .getValue()
            .write(
                file,
                tensor -> announced(tensor, sources.apply(tensor), progress),
                progress::advanceTo);
        // on the disk before an older bundle gives way to this one
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
          channel.force(true);
        }
      } catch (CheckpointException | SafetensorsException | ClosedByInterruptException e) {
        throw e;
      } catch (IOException e) {
        // the system's message, such as "No space left on device", names no file
        throw new IOException(file + ": could not be written: " + e.getMessage(), e);
      }
    }
  }

  private static String sha256(Path file, NetworkPlan plan, Progress progress) throws IOException {
    progress.begin(Step.CHECKSUM, plan, file.getFileName().toString());
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
    byte[] buffer = new byte[HASH_BYTES];
    long read = 0;
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
        read += count;
        progress.advanceTo(read);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static InterruptedIOException interrupted(@Nullable Throwable cause) {
    InterruptedIOException e =
        new InterruptedIOException("the conversion was interrupted; it left nothing behind");
    e.initCause(cause);
    return e;
  }

  /** Counts bytes over all steps. */
  private static final class Progress {
    private final ConversionListener listener;
    private final long total;
    private long before;
    private long inStep;
    private Step step = Step.WRITE;
    private @Nullable NetworkPlan plan;
    private String item = "";

    Progress(ConversionListener listener, long total) {
      this.listener = listener;
      this.total = total;
    }

    void begin(Step next, NetworkPlan network, String what) {
      before += inStep;
      inStep = 0;
      step = next;
      plan = network;
      item = what;
    }

    void item(String what) {
      item = what;
    }

    /** Another look at what is written already, which counts for nothing. */
    void stay(Step next, String what) {
      step = next;
      item = what;
      advanceTo(inStep);
    }

    void advanceTo(long bytes) {
      inStep = bytes;
      if (Thread.currentThread().isInterrupted()) {
        throw new UncheckedIOException(interrupted(null));
      }
      listener.progress(
          new ConversionListener.Progress(
              step, Objects.requireNonNull(plan).network(), item, before + inStep, total));
    }
  }

  /** The same tensor, which tells that it is being written. */
  private static TensorSource announced(String name, TensorSource source, Progress progress) {
    return TensorSource.of(
        source.dtype(),
        source.shape(),
        channel -> {
          progress.item(name);
          source.writeTo(channel);
        });
  }
}
