package io.jitflow.flux.safetensors;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** Writes well-formed and malformed safetensors files for tests. */
public final class RawSafetensors {
  private final Map<String, String> entries = new LinkedHashMap<>();
  private long dataBytes;

  /** Adds a tensor after the others, without data. */
  public RawSafetensors add(String name, DType dtype, long... shape) {
    long bytes = dtype.byteSize();
    for (long size : shape) {
      bytes *= size;
    }
    String dims = LongStream.of(shape).mapToObj(Long::toString).collect(Collectors.joining(","));
    entries.put(
        name,
        "{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%d,%d]}"
            .formatted(dtype.safetensorsName(), dims, dataBytes, dataBytes + bytes));
    dataBytes += bytes;
    return this;
  }

  /** Returns the header. */
  public String header() {
    return entries.entrySet().stream()
        .map(e -> "\"" + e.getKey() + "\":" + e.getValue())
        .collect(Collectors.joining(",", "{", "}"));
  }

  /** Writes header and zeros; the zeros take no room where the file system has sparse files. */
  public Path writeSparse(Path file) throws IOException {
    return writeSparse(file, header(), dataBytes);
  }

  /** Writes any header, followed by zeros. */
  public static Path writeSparse(Path file, String header, long dataBytes) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(length(json.length));
      out.write(json);
      out.setLength(8L + json.length + dataBytes);
    }
    return file;
  }

  /** Writes a header length that need not be true, and then bytes. */
  public static Path writeRaw(Path file, long headerLength, byte[] rest) throws IOException {
    byte[] all = new byte[8 + rest.length];
    System.arraycopy(length(headerLength), 0, all, 0, 8);
    System.arraycopy(rest, 0, all, 8, rest.length);
    return Files.write(file, all);
  }

  private static byte[] length(long headerLength) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(headerLength).array();
  }
}
