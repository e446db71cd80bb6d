package io.jitflow.flux.safetensors;

import io.jitflow.flux.json.Quoted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The tensors of one network: a single safetensors file, or the shards named by a {@code
 * *.safetensors.index.json}, as one namespace.
 *
 * <p>Shards are plain files beside the index; an index cannot point elsewhere. The files themselves
 * may be links, as in a download cache. A tensor that a shard holds and the index does not name is
 * part of the namespace.
 *
 * <p>Safe for use by several threads. Memory and closing are as in {@link SafetensorsFile}.
 */
public final class TensorFiles implements AutoCloseable {
  private static final String SUFFIX = ".safetensors";
  private static final String INDEX_SUFFIX = ".safetensors.index.json";
  private static final List<String> STEMS = List.of("diffusion_pytorch_model", "model");

  private final Path source;
  private final List<SafetensorsFile> files;
  private final Map<String, SafetensorsFile> fileOf;
  private final Map<String, TensorInfo> tensors;

  private TensorFiles(Path source, List<SafetensorsFile> files) throws SafetensorsException {
    this.source = source;
    this.files = List.copyOf(files);
    Map<String, SafetensorsFile> owner = new LinkedHashMap<>();
    Map<String, TensorInfo> all = new LinkedHashMap<>();
    for (SafetensorsFile file : files) {
      for (TensorInfo info : file.tensors().values()) {
        SafetensorsFile other = owner.put(info.name(), file);
        if (other != null) {
          throw SafetensorsException.ofTensor(
              file.path(),
              info.name(),
              "expected in one shard, found in "
                  + other.path().getFileName()
                  + " too; download the checkpoint again");
        }
        all.put(info.name(), info);
      }
    }
    this.fileOf = owner;
    this.tensors = Collections.unmodifiableMap(all);
  }

  /**
   * Opens the tensors of one network.
   *
   * @param source a {@code .safetensors} file, a {@code .safetensors.index.json}, or a folder that
   *     holds one network: {@code diffusion_pytorch_model} or {@code model}, single or sharded, or
   *     else exactly one file or index of another name
   * @return the open files
   * @throws SafetensorsException if something is missing, damaged, malformed or not supported
   * @throws IOException if something cannot be read
   */
  public static TensorFiles open(Path source) throws IOException {
    Path found = CheckpointPath.attributes(source).isDirectory() ? inFolder(source) : source;
    if (found.toString().endsWith(".json")) {
      return openShards(found);
    }
    SafetensorsFile file = SafetensorsFile.open(found);
    return new TensorFiles(found, List.of(file));
  }

  private static Path sibling(Path index, String name) throws SafetensorsException {
    try {
      return index.resolveSibling(name);
    } catch (InvalidPathException e) { // such as half of a surrogate pair
      throw SafetensorsException.of(
          index,
          "expected names that this system's files can have, found "
              + Quoted.of(name)
              + "; do not trust this checkpoint",
          e);
    }
  }

  private static TensorFiles openShards(Path index) throws IOException {
    Map<String, String> shardOf = ShardIndex.read(index);
    Map<String, SafetensorsFile> shards = new LinkedHashMap<>();
    for (String name : new LinkedHashSet<>(shardOf.values())) {
      Path shard = sibling(index, name);
      if (Files.notExists(shard) && !Files.isSymbolicLink(shard)) {
        throw SafetensorsException.of(
            shard,
            "expected this shard, named in "
                + index.getFileName()
                + ", found nothing; download it");
      }
      shards.put(name, SafetensorsFile.open(shard));
    }
    for (Map.Entry<String, String> entry : shardOf.entrySet()) {
      SafetensorsFile shard = Objects.requireNonNull(shards.get(entry.getValue()));
      if (!shard.tensors().containsKey(entry.getKey())) {
        throw SafetensorsException.ofTensor(
            shard.path(),
            entry.getKey(),
            "expected in this shard according to "
                + index.getFileName()
                + ", not found; index and shards do not belong together, download them again");
      }
    }
    return new TensorFiles(index, new ArrayList<>(shards.values()));
  }

  private static Path inFolder(Path folder) throws IOException {
    List<Path> candidates = new ArrayList<>();
    boolean otherFormat = false;
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : (Iterable<Path>) entries.sorted()::iterator) {
        String name = entry.getFileName().toString();
        if (name.endsWith(SUFFIX) || name.endsWith(INDEX_SUFFIX)) {
          candidates.add(entry);
        }
        otherFormat |= name.endsWith(".bin") || name.endsWith(".pt") || name.endsWith(".gguf");
      }
    }
    for (String stem : STEMS) {
      Path index = folder.resolve(stem + INDEX_SUFFIX);
      Path single = folder.resolve(stem + SUFFIX);
      if (candidates.contains(index) && candidates.contains(single)) {
        throw SafetensorsException.of(
            folder,
            "expected one checkpoint, found "
                + index.getFileName()
                + " and "
                + single.getFileName()
                + "; name the one to use, or remove the other");
      }
      if (candidates.contains(index) || candidates.contains(single)) {
        return candidates.contains(index) ? index : single;
      }
    }
    if (candidates.size() == 1) {
      return candidates.get(0);
    }
    if (candidates.isEmpty()) {
      throw SafetensorsException.of(
          folder,
          "expected a .safetensors file, found "
              + (otherFormat ? "weights in another format" : "none")
              + "; download the safetensors files of the model");
    }
    throw SafetensorsException.of(
        folder,
        "expected one .safetensors file or index, found "
            + candidates.size()
            + " ("
            + candidates.get(0).getFileName()
            + ", "
            + candidates.get(1).getFileName()
            + (candidates.size() > 2 ? ", ..." : "")
            + "); name the one to use");
  }

  /**
   * Returns where the tensors come from.
   *
   * @return the file or index that was opened
   */
  public Path source() {
    return source;
  }

  /**
   * Returns the files that hold the tensors.
   *
   * @return unmodifiable, in the order of the index
   */
  public List<SafetensorsFile> files() {
    return files;
  }

  /**
   * Returns all tensors by name. Their offsets count within their own file.
   *
   * @return unmodifiable, file by file, in the order of the data
   */
  public Map<String, TensorInfo> tensors() {
    return tensors;
  }

  /**
   * Returns the names of all tensors.
   *
   * @return unmodifiable, in the order of {@link #tensors}
   */
  public Collection<String> names() {
    return tensors.keySet();
  }

  /**
   * Finds a tensor.
   *
   * @param name its name
   * @return what its file's header says about it
   * @throws SafetensorsException if no file has such a tensor
   */
  public TensorInfo info(String name) throws SafetensorsException {
    return fileOf(name).info(name);
  }

  /**
   * Finds the file of a tensor.
   *
   * @param name the tensor's name
   * @return the file that holds it
   * @throws SafetensorsException if no file has such a tensor
   */
  public SafetensorsFile fileOf(String name) throws SafetensorsException {
    SafetensorsFile file = fileOf.get(name);
    if (file == null) {
      throw SafetensorsException.ofTensor(
          source, name, "not in this checkpoint, which has " + tensors.size() + " tensors");
    }
    return file;
  }

  /**
   * Returns a part of a tensor's data without copying it, as {@link SafetensorsFile#slice} does.
   *
   * @return a read-only, little-endian, direct buffer
   * @throws SafetensorsException if no file has such a tensor
   * @throws IllegalArgumentException if the range is not within the tensor, or too long
   * @throws IllegalStateException if these files are closed
   */
  public ByteBuffer slice(String name, long offset, int length) throws SafetensorsException {
    return fileOf(name).slice(name, offset, length);
  }

  /**
   * Writes all bytes of a tensor, as {@link SafetensorsFile#writeTo} does.
   *
   * @throws SafetensorsException if no file has such a tensor
   * @throws IOException if writing fails
   * @throws IllegalStateException if these files are closed
   */
  public void writeTo(String name, WritableByteChannel channel) throws IOException {
    fileOf(name).writeTo(name, channel);
  }

  /** Closes all files. Idempotent. */
  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
