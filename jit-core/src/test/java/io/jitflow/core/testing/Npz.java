package io.jitflow.core.testing;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The arrays of an {@code .npz} file, by name. Owned by the manager they are read with. */
public final class Npz {
  private final Path file;
  private final Map<String, NDArray> arrays = new LinkedHashMap<>();

  private Npz(Path file) {
    this.file = file;
  }

  /** Reads a file whole. */
  public static Npz read(NDManager manager, Path file) {
    Npz npz = new Npz(file);
    try (InputStream in = Files.newInputStream(file)) {
      for (NDArray array : NDList.decode(manager, in)) {
        npz.arrays.put(array.getName(), array);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
    return npz;
  }

  /** Tells whether an array is there. */
  public boolean has(String name) {
    return arrays.containsKey(name);
  }

  /** Returns an array, borrowed. */
  public NDArray get(String name) {
    NDArray array = arrays.get(name);
    if (array == null) {
      throw new IllegalArgumentException(
          "%s has no array %s, only %s".formatted(file, name, arrays.keySet()));
    }
    return array;
  }

  /** Returns an integer array on the heap. */
  public int[] ints(String name) {
    NDArray array = get(name);
    if (array.getShape().equals(new Shape(0))) {
      return new int[0];
    }
    return Arrays.stream(array.toLongArray()).mapToInt(Math::toIntExact).toArray();
  }
}
