package io.jitflow.flux.torchscript;

import io.jitflow.core.check.Checks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.apache.commons.compress.archivers.zip.Zip64Mode;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.apache.commons.compress.archivers.zip.ZipMethod;

/**
 * Writes TorchScript archives: a ZIP of stored entries with the module tree as a pickle, its code,
 * and one entry per tensor, aligned to 64 bytes.
 *
 * <p>The layout is the one of PyTorch's own files (pytorch/pytorch, {@code
 * caffe2/serialize/inline_container.h}). Checksums are filled in after each entry, so that every
 * tensor is read once and passes through a buffer of fixed size. Equal inputs give equal files.
 */
public final class TorchScriptArchive {
  /** Operator set of PyTorch 1.11 and later: no old-operator adapters run at loading. */
  private static final String VERSION = "10\n";

  private static final int ALIGNMENT = 64;
  private static final int BUFFER_BYTES = 1 << 20;

  private TorchScriptArchive() {}

  /**
   * Writes a module tree and its code as one archive that libtorch loads.
   *
   * <p>Tensors are streamed in the order of the tree; a tensor source that occurs twice is stored
   * twice. The target is created or overwritten in place and left incomplete after an error.
   *
   * @param target the file to write
   * @param name the top folder inside the archive, conventionally the file's base name
   * @param root the module tree
   * @param codeFiles code by module name: {@code flux_transformer} holds the classes {@code
   *     __torch__.flux_transformer.*}
   * @param progress called with the total number of tensor bytes written so far
   * @throws IOException if a tensor cannot be read, has another size than it announced, or the
   *     target cannot be written
   * @throws IllegalArgumentException if the name is not a plain file name or the tree names a class
   *     whose file is not among {@code codeFiles}
   */
  public static void write(
      Path target,
      String name,
      ScriptModule root,
      Map<String, String> codeFiles,
      LongConsumer progress)
      throws IOException {
    Checks.argument(
        name.matches("[A-Za-z0-9_.-]+"),
        "archive name must consist of letters, digits, '.', '_' and '-', got \"%s\"",
        name);
    requireCode(root, codeFiles);
    ModulePickle pickle = ModulePickle.of(root);
    try (SeekableByteChannel channel =
            Files.newByteChannel(
                target,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
        ZipArchiveOutputStream zip = new ZipArchiveOutputStream(channel)) {
      zip.setUseZip64(Zip64Mode.AsNeeded);
      Entries entries = new Entries(zip, target, name, progress);
      entries.bytes("data.pkl", pickle.bytes());
      entries.bytes("constants.pkl", ModulePickle.emptyTuple());
      for (Map.Entry<String, String> code : new TreeMap<>(codeFiles).entrySet()) {
        entries.text("code/__torch__/" + code.getKey().replace('.', '/') + ".py", code.getValue());
      }
      entries.text("byteorder", "little");
      List<TensorSource> tensors = pickle.tensors();
      for (int key = 0; key < tensors.size(); key++) {
        entries.tensor("data/" + key, pickle.names().get(key), tensors.get(key));
      }
      entries.text("version", VERSION);
      zip.finish();
    }
  }

  private static void requireCode(ScriptModule module, Map<String, String> codeFiles) {
    String path = module.className().substring("__torch__.".length());
    int dot = path.lastIndexOf('.');
    String file = dot < 0 ? "" : path.substring(0, dot);
    Checks.argument(
        codeFiles.containsKey(file),
        "class %s needs the code file \"%s\", given: %s",
        module.className(),
        file,
        new TreeMap<>(codeFiles).keySet());
    for (Object value : module.attributes().values()) {
      if (value instanceof ScriptModule child) {
        requireCode(child, codeFiles);
      }
    }
  }

  /** Writes stored, aligned entries one after the other. */
  private static final class Entries {
    private static final long TIMESTAMP =
        LocalDateTime.of(1980, 1, 1, 0, 0)
            .atZone(ZoneId.systemDefault())
            .toInstant()
            .toEpochMilli();

    private final ZipArchiveOutputStream zip;
    private final Path target;
    private final String folder;
    private final LongConsumer progress;
    private final byte[] buffer = new byte[BUFFER_BYTES];
    private long tensorBytes;

    Entries(ZipArchiveOutputStream zip, Path target, String folder, LongConsumer progress) {
      this.zip = zip;
      this.target = target;
      this.folder = folder;
      this.progress = progress;
    }

    void text(String path, String text) throws IOException {
      bytes(path, text.getBytes(StandardCharsets.UTF_8));
    }

    void bytes(String path, byte[] bytes) throws IOException {
      open(path, bytes.length);
      zip.write(bytes);
      zip.closeArchiveEntry();
    }

    void tensor(String path, String tensor, TensorSource source) throws IOException {
      long announced = source.byteCount();
      open(path, announced);
      TensorChannel channel = new TensorChannel();
      source.writeTo(channel);
      if (channel.written != announced) {
        throw new IOException(
            target
                + ": tensor "
                + tensor
                + " announced "
                + announced
                + " bytes and delivered "
                + channel.written);
      }
      zip.closeArchiveEntry();
    }

    private void open(String path, long size) throws IOException {
      ZipArchiveEntry entry = new ZipArchiveEntry(folder + "/" + path);
      entry.setMethod(ZipMethod.STORED.getCode());
      entry.setSize(size);
      entry.setAlignment(ALIGNMENT);
      entry.setTime(TIMESTAMP);
      zip.putArchiveEntry(entry);
    }

    /** Takes the bytes of one tensor. */
    private final class TensorChannel implements WritableByteChannel {
      private long written;

      @Override
      public int write(ByteBuffer source) throws IOException {
        int count = source.remaining();
        while (source.hasRemaining()) {
          int chunk = Math.min(source.remaining(), buffer.length);
          source.get(buffer, 0, chunk);
          zip.write(buffer, 0, chunk);
          written += chunk;
          tensorBytes += chunk;
          progress.accept(tensorBytes);
        }
        return count;
      }

      @Override
      public boolean isOpen() {
        return true;
      }

      @Override
      public void close() {
        // The archive stays open for the next tensor.
      }
    }
  }
}
