package io.jitflow.flux.safetensors;

import io.jitflow.core.check.Checks;
import io.jitflow.flux.json.Quoted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One safetensors file, mapped into memory and checked completely when it is opened.
 *
 * <p>The file is mapped read-only in windows of 1 GiB, so files beyond the 2 GiB of a single buffer
 * need no heap and no copies. {@link #close} drops the mappings: the class library has no public
 * way to unmap, so the address space is released when the garbage collector finds the buffers
 * unreachable, slices that were handed out included. The file descriptor is closed by the end of
 * {@link #open}.
 *
 * <p>Safe for use by several threads. The file must not change while it is open.
 */
public final class SafetensorsFile implements AutoCloseable {
  /** The longest slice that {@link #slice} hands out, in bytes. */
  public static final int MAX_SLICE_BYTES = 64 << 20;

  private static final int WINDOW_BYTES = 1 << 30;
  private static final int WRITE_BYTES = 8 << 20;
  private static final int LENGTH_BYTES = 8;

  private final Path path;
  private final long size;
  private final SafetensorsHeader header;
  private final int windowBytes;
  private final int maxSliceBytes;
  private volatile ByteBuffer @Nullable [] windows;

  private SafetensorsFile(
      Path path,
      long size,
      SafetensorsHeader header,
      int windowBytes,
      int maxSliceBytes,
      ByteBuffer[] windows) {
    this.path = path;
    this.size = size;
    this.header = header;
    this.windowBytes = windowBytes;
    this.maxSliceBytes = maxSliceBytes;
    this.windows = windows;
  }

  /**
   * Maps and checks a file.
   *
   * @param path a safetensors file; links are followed
   * @return the open file
   * @throws SafetensorsException if the file is missing, damaged, malformed or not supported
   * @throws IOException if it cannot be read
   */
  public static SafetensorsFile open(Path path) throws IOException {
    return open(path, WINDOW_BYTES, MAX_SLICE_BYTES);
  }

  static SafetensorsFile open(Path path, int windowBytes, int maxSliceBytes) throws IOException {
    Objects.requireNonNull(path, "path");
    CheckpointPath.regularFileSize(path);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size < LENGTH_BYTES) {
        throw SafetensorsException.of(
            path,
            "expected at least 8 bytes of header length, found "
                + (size == 0 ? "an empty file" : size + " bytes")
                + "; download the file again");
      }
      SafetensorsHeader header = readHeader(path, channel, size);
      return new SafetensorsFile(
          path,
          size,
          header,
          windowBytes,
          maxSliceBytes,
          map(channel, size, windowBytes, maxSliceBytes));
    }
  }

  private static SafetensorsHeader readHeader(Path path, FileChannel channel, long size)
      throws IOException {
    ByteBuffer start =
        channel.map(FileChannel.MapMode.READ_ONLY, 0, LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    long length = start.getLong(0);
    if (length < 0 || length > SafetensorsHeader.MAX_BYTES) {
      throw SafetensorsException.of(
          path,
          "expected a header of at most "
              + SafetensorsHeader.MAX_BYTES
              + " bytes, found a length of "
              + Long.toUnsignedString(length)
              + "; "
              + instead(StandardCharsets.ISO_8859_1.decode(start).toString()));
    }
    if (length > size - LENGTH_BYTES) {
      throw SafetensorsException.of(
          path,
          "expected a header of "
              + length
              + " bytes, found "
              + (size - LENGTH_BYTES)
              + " bytes in the whole file; it is truncated, download it again");
    }
    ByteBuffer json = channel.map(FileChannel.MapMode.READ_ONLY, LENGTH_BYTES, length);
    return SafetensorsHeader.parse(path, json, LENGTH_BYTES + length, size);
  }

  /** What people have instead of the file when a download went wrong. */
  private static String instead(String start) {
    if (start.equals("version ")) {
      return "this is a Git LFS pointer and not the file; run git lfs pull";
    }
    if (start.startsWith("<")) {
      return "this is a web page and not the file; log in to the model's site and download it"
          + " again";
    }
    return "this is not a safetensors file, or it is damaged";
  }

  /** Windows overlap by the longest slice, so that every slice lies within one window. */
  private static ByteBuffer[] map(FileChannel channel, long size, int windowBytes, int overlap)
      throws IOException {
    ByteBuffer[] windows = new ByteBuffer[Math.toIntExact((size + windowBytes - 1) / windowBytes)];
    for (int i = 0; i < windows.length; i++) {
      long begin = (long) i * windowBytes;
      long length = Math.min((long) windowBytes + overlap, size - begin);
      windows[i] = channel.map(FileChannel.MapMode.READ_ONLY, begin, length);
    }
    return windows;
  }

  /**
   * Returns the path as it was opened.
   *
   * @return the path
   */
  public Path path() {
    return path;
  }

  /**
   * Returns the size of the file.
   *
   * @return bytes
   */
  public long size() {
    return size;
  }

  /**
   * Returns the free-form entries of the header.
   *
   * @return unmodifiable; empty if there are none
   */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * Returns all tensors by name.
   *
   * @return unmodifiable, in the order of the data
   */
  public Map<String, TensorInfo> tensors() {
    return header.tensors();
  }

  /**
   * Finds a tensor.
   *
   * @param name its name
   * @return what the header says about it
   * @throws SafetensorsException if the file has no such tensor
   */
  public TensorInfo info(String name) throws SafetensorsException {
    TensorInfo info = header.tensors().get(name);
    if (info == null) {
      throw SafetensorsException.ofTensor(
          path, name, "not in this file, which has " + header.tensors().size() + " tensors");
    }
    return info;
  }

  /**
   * Returns a part of a tensor's data without copying it.
   *
   * @param name the tensor's name
   * @param offset first byte, counted from the start of the tensor
   * @param length bytes, at most {@link #MAX_SLICE_BYTES}
   * @return a read-only, little-endian, direct buffer with position 0 and limit {@code length},
   *     which must not be used after {@link #close}
   * @throws SafetensorsException if the file has no such tensor
   * @throws IllegalArgumentException if the range is not within the tensor, or too long
   * @throws IllegalStateException if this file is closed
   */
  public ByteBuffer slice(String name, long offset, int length) throws SafetensorsException {
    TensorInfo info = info(name);
    Checks.argument(
        length >= 0 && length <= maxSliceBytes,
        "a slice has 0 to %d bytes, got %d",
        maxSliceBytes,
        length);
    if (offset < 0 || offset > info.byteSize() - length) {
      throw new IllegalArgumentException(
          "tensor "
              + Quoted.of(name)
              + " has "
              + info.byteSize()
              + " bytes, got offset "
              + offset
              + " and length "
              + length);
    }
    ByteBuffer[] open = windows;
    if (open == null) {
      throw new IllegalStateException(path + " is closed");
    }
    if (length == 0) {
      return ByteBuffer.allocateDirect(0).order(ByteOrder.LITTLE_ENDIAN).asReadOnlyBuffer();
    }
    long begin = info.begin() + offset;
    ByteBuffer window = open[(int) (begin / windowBytes)];
    return window.slice((int) (begin % windowBytes), length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Writes all bytes of a tensor: row-major, little-endian, in the type of the file.
   *
   * @param name the tensor's name
   * @param channel takes the bytes; blocking, not closed here
   * @throws SafetensorsException if the file has no such tensor
   * @throws IOException if writing fails
   * @throws IllegalStateException if this file is closed
   */
  public void writeTo(String name, WritableByteChannel channel) throws IOException {
    long remaining = info(name).byteSize();
    long offset = 0;
    while (remaining > 0) {
      int length = (int) Math.min(remaining, Math.min(WRITE_BYTES, maxSliceBytes));
      ByteBuffer part = slice(name, offset, length);
      while (part.hasRemaining()) {
        channel.write(part);
      }
      offset += length;
      remaining -= length;
    }
  }

  /** Drops the mappings; the class comment says when their memory is released. Idempotent. */
  @Override
  public void close() {
    windows = null;
  }
}
