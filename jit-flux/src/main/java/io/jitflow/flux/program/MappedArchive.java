package io.jitflow.flux.program;

import ai.djl.engine.EngineException;
import io.jitflow.flux.network.ModuleFile;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipException;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * Where the weights of an archive that {@link NetworkProgram#write} made lie in its file, for
 * mapping it: loading copies nothing, pages are read when they are first used, and processes that
 * use the same file share them.
 */
public final class MappedArchive implements AutoCloseable {
  private final Path skeleton;
  private final Path archive;
  private final List<Long> offsets;

  private MappedArchive(Path skeleton, Path archive, List<Long> offsets) {
    this.skeleton = skeleton;
    this.archive = archive;
    this.offsets = offsets;
  }

  /**
   * Looks at an archive.
   *
   * @param archive the file
   * @param program the program that it may hold
   * @param dtype the type of its tensors of two bytes: F16 or, if it is another, BF16
   * @return the weights; empty if the archive holds another program, and must be loaded as it is
   * @throws IOException if it cannot be read
   * @throws EngineException if the process may not take that much memory
   */
  public static Optional<MappedArchive> map(Path archive, NetworkProgram program, DType dtype)
      throws IOException {
    List<long[]> shapes = program.archivedShapes();
    List<Long> offsets = new ArrayList<>();
    List<DType> dtypes = new ArrayList<>();
    try (ZipFile zip = ZipFile.builder().setPath(archive).get()) {
      String folder = program.name() + "/";
      for (Map.Entry<String, String> code : program.archivedCode().entrySet()) {
        ZipArchiveEntry entry = zip.getEntry(folder + "code/__torch__/" + code.getKey() + ".py");
        if (entry == null || !text(zip, entry).equals(code.getValue())) {
          return Optional.empty();
        }
      }
      for (int i = 0; i < shapes.size(); i++) {
        ZipArchiveEntry entry = zip.getEntry(folder + "data/" + i);
        Optional<DType> found =
            entry == null ? Optional.empty() : dtype(entry, shapes.get(i), dtype);
        if (found.isEmpty()) {
          return Optional.empty();
        }
        dtypes.add(found.get());
        offsets.add(entry.getDataOffset());
      }
    } catch (ZipException e) {
      return Optional.empty(); // whoever loads it says what is wrong
    } catch (IOException e) {
      if (e.getCause() instanceof OutOfMemoryError) {
        throw new EngineException(
            String.format(
                Locale.ROOT,
                "out of memory while loading the weights in %s (%.1f GB)",
                archive,
                Files.size(archive) / 1e9),
            e);
      }
      throw e;
    }
    Path skeleton = Files.createTempFile(program.name(), ".pt");
    writeOrDelete(skeleton, program, dtypes.iterator());
    return Optional.of(new MappedArchive(skeleton, archive, offsets));
  }

  /** Fills the temporary file; nothing is left of it after an error. */
  static void writeOrDelete(Path skeleton, NetworkProgram program, Iterator<DType> dtypes)
      throws IOException {
    boolean written = false;
    try {
      program.writeSkeletonInOrder(skeleton, dtypes);
      written = true;
    } finally {
      if (!written) {
        Files.deleteIfExists(skeleton);
      }
    }
  }

  private static String text(ZipFile zip, ZipArchiveEntry entry) throws IOException {
    try (var in = zip.getInputStream(entry)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Optional<DType> dtype(ZipArchiveEntry entry, long[] shape, DType two) {
    long elements = 1;
    for (long size : shape) {
      elements *= size;
    }
    if (entry.getDataOffset() % Float.BYTES != 0) {
      return Optional.empty();
    }
    if (entry.getSize() == elements) {
      return Optional.of(DType.I8);
    }
    if (entry.getSize() == 2 * elements) {
      return Optional.of(two == DType.F16 ? DType.F16 : DType.BF16);
    }
    return entry.getSize() == 4 * elements ? Optional.of(DType.F32) : Optional.empty();
  }

  /**
   * What is loaded.
   *
   * @return the module, to be loaded before {@link #close}
   */
  public ModuleFile file() {
    return ModuleFile.mapped(skeleton, archive, offsets);
  }

  /** Deletes the temporary file; the archive stays mapped as long as a network uses it. */
  @Override
  public void close() throws IOException {
    Files.deleteIfExists(skeleton);
  }
}
