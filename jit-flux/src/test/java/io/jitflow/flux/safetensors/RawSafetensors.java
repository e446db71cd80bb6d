package io.jitflow.flux.safetensors;

import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/** Writes well-formed and malformed safetensors files for tests. */
public final class RawSafetensors {
  private record Tensor(DType dtype, List<Long> shape) {
    long bytes() {
      return shape.stream().reduce((long) dtype.byteSize(), (a, b) -> a * b);
    }
  }

  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  /** Adds a tensor after the others, without data. */
  public RawSafetensors add(String name, DType dtype, long... shape) {
    tensors.put(name, new Tensor(dtype, LongStream.of(shape).boxed().toList()));
    return this;
  }

  /** A copy without some tensors. */
  public RawSafetensors without(Predicate<String> names) {
    RawSafetensors copy = new RawSafetensors();
    copy.tensors.putAll(tensors);
    copy.tensors.keySet().removeIf(names);
    return copy;
  }

  /** A copy with other names. */
  public RawSafetensors renamed(UnaryOperator<String> rename) {
    RawSafetensors copy = new RawSafetensors();
    tensors.forEach((name, tensor) -> copy.tensors.put(rename.apply(name), tensor));
    return copy;
  }

  /** Adds every tensor to one of several files; returns which. */
  public Map<String, RawSafetensors> distribute(Function<String, RawSafetensors> fileOf) {
    Map<String, RawSafetensors> owners = new LinkedHashMap<>();
    tensors.forEach(
        (name, tensor) -> {
          RawSafetensors file = fileOf.apply(name);
          file.tensors.put(name, tensor);
          owners.put(name, file);
        });
    return owners;
  }

  /** Returns the size of the data. */
  public long dataBytes() {
    return tensors.values().stream().mapToLong(Tensor::bytes).sum();
  }

  /** Returns the header. */
  public String header() {
    StringBuilder json = new StringBuilder("{");
    long begin = 0;
    for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
      Tensor tensor = entry.getValue();
      long end = begin + tensor.bytes();
      json.append(json.length() > 1 ? "," : "")
          .append(
              "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%s,%s]}"
                  .formatted(
                      entry.getKey(),
                      tensor.dtype().safetensorsName(),
                      tensor.shape(),
                      begin,
                      end));
      begin = end;
    }
    return json.append("}").toString();
  }

  /** Writes header and zeros; the zeros take no room where the file system has sparse files. */
  public Path writeSparse(Path file) throws IOException {
    return writeSparse(file, header(), dataBytes());
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
