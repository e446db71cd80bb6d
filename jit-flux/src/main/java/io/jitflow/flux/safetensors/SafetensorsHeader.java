package io.jitflow.flux.safetensors;

import io.jitflow.flux.json.JsonStream;
import io.jitflow.flux.json.JsonStream.Part;
import io.jitflow.flux.json.Quoted;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The JSON header of one file, parsed and checked: names unique, types known, shapes and byte
 * ranges consistent, ranges covering the data exactly once.
 *
 * @param metadata entries of {@code __metadata__}
 * @param tensors tensors by name, in the order of their data
 */
record SafetensorsHeader(Map<String, String> metadata, Map<String, TensorInfo> tensors) {
  /** The limit of the reference implementation. */
  static final long MAX_BYTES = 100_000_000;

  /** The limit of PyTorch; keeps a hostile header from filling the heap with ones. */
  static final int MAX_DIMENSIONS = 64;

  private static final String METADATA = "__metadata__";

  /** Types that the format defines and this library does not read. */
  private static final Set<String> OTHER_DTYPES =
      Set.of(
          "F4",
          "F6_E2M3",
          "F6_E3M2",
          "F8_E8M0",
          "F8_E4M3FNUZ",
          "F8_E5M2FNUZ",
          "U16",
          "U32",
          "U64",
          "C64");

  /**
   * Parses the header.
   *
   * @param file named in errors
   * @param json exactly the header's bytes
   * @param dataBegin offset of the data in the file
   * @param fileSize size of the file
   */
  static SafetensorsHeader parse(Path file, ByteBuffer json, long dataBegin, long fileSize)
      throws IOException {
    try (JsonStream stream = new JsonStream(new BufferStream(json))) {
      return new Parser(file, stream, dataBegin, fileSize).header();
    } catch (CharacterCodingException e) {
      throw SafetensorsException.of(
          file,
          "expected a header in UTF-8, found other bytes; the file is damaged or not a"
              + " safetensors file, download it again",
          e);
    } catch (JsonStream.Malformed e) {
      throw SafetensorsException.of(
          file,
          "expected a JSON header, found malformed JSON ("
              + e.place()
              + "); the file is damaged or not a safetensors file, download it again",
          e);
    }
  }

  /** Reads one header; holds what its errors need. */
  private static final class Parser {
    private final Path file;
    private final JsonStream stream;
    private final long dataBegin;
    private final long fileSize;

    Parser(Path file, JsonStream stream, long dataBegin, long fileSize) {
      this.file = file;
      this.stream = stream;
      this.dataBegin = dataBegin;
      this.fileSize = fileSize;
    }

    SafetensorsHeader header() throws IOException {
      if (stream.next() != Part.OBJECT) {
        throw SafetensorsException.of(
            file,
            "expected a header that is a JSON object, found "
                + stream.next()
                + "; the file is damaged or not a safetensors file, download it again");
      }
      Map<String, String> metadata = null;
      Map<String, TensorInfo> tensors = new LinkedHashMap<>();
      stream.beginObject();
      while (stream.hasNext()) {
        String name = stream.name();
        if (name.equals(METADATA)) {
          if (metadata != null) {
            throw duplicate(name);
          }
          metadata = metadata();
        } else if (tensors.put(name, tensor(name)) != null) {
          throw duplicate(name);
        }
      }
      stream.endObject();
      if (!stream.atEnd()) {
        throw SafetensorsException.of(
            file,
            "expected nothing but spaces after the header's JSON object, found more; download the"
                + " file again");
      }
      return new SafetensorsHeader(
          metadata == null ? Map.of() : Collections.unmodifiableMap(metadata),
          Collections.unmodifiableMap(inDataOrder(tensors)));
    }

    private SafetensorsException duplicate(String name) {
      return SafetensorsException.ofTensor(
          file,
          name,
          "expected every name once in the header, found it twice; the file is malformed, write"
              + " it again with another tool");
    }

    private Map<String, String> metadata() throws IOException {
      if (stream.next() != Part.OBJECT) {
        throw badMetadata(stream.next().toString());
      }
      Map<String, String> entries = new LinkedHashMap<>();
      stream.beginObject();
      while (stream.hasNext()) {
        String key = stream.name();
        if (stream.next() != Part.TEXT) {
          throw badMetadata(stream.next() + " as " + Quoted.of(key));
        }
        if (entries.put(key, stream.text()) != null) {
          throw badMetadata(Quoted.of(key) + " twice");
        }
      }
      stream.endObject();
      return entries;
    }

    private SafetensorsException badMetadata(String found) {
      return SafetensorsException.of(
          file,
          "expected "
              + METADATA
              + " to be an object of strings, found "
              + found
              + "; the file is malformed, write it again with another tool");
    }

    private TensorInfo tensor(String name) throws IOException {
      if (stream.next() != Part.OBJECT) {
        throw malformed(
            name, "an object with dtype, shape and data_offsets", stream.next().toString());
      }
      DType dtype = null;
      List<Long> shape = null;
      List<Long> offsets = null;
      stream.beginObject();
      while (stream.hasNext()) {
        String key = stream.name();
        boolean repeated =
            switch (key) {
              case "dtype" -> dtype != null;
              case "shape" -> shape != null;
              case "data_offsets" -> offsets != null;
              default -> false;
            };
        if (repeated) {
          throw malformed(name, key + " once", "it twice");
        }
        switch (key) {
          case "dtype" -> dtype = dtype(name);
          case "shape" -> shape = wholeNumbers(name, "shape", MAX_DIMENSIONS);
          case "data_offsets" -> offsets = wholeNumbers(name, "data_offsets", 2);
          default -> stream.skip();
        }
      }
      stream.endObject();
      if (dtype == null || shape == null || offsets == null) {
        String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
        throw malformed(name, "dtype, shape and data_offsets", "no " + missing);
      }
      if (offsets.size() != 2) {
        throw malformed(name, "two data_offsets", offsets.size() + " of them");
      }
      return tensor(name, dtype, shape, offsets.get(0), offsets.get(1));
    }

    private TensorInfo tensor(String name, DType dtype, List<Long> shape, long begin, long end)
        throws SafetensorsException {
      if (end < begin) {
        throw malformed(name, "data_offsets in ascending order", begin + " to " + end);
      }
      long bytes = dtype.byteSize();
      try {
        for (long size : shape) {
          bytes = Math.multiplyExact(bytes, size);
        }
      } catch (ArithmeticException e) {
        throw malformed(
            name,
            "a size that fits 64 bits",
            "shape " + shape + " of " + dtype + ", which does not");
      }
      if (bytes != end - begin) {
        throw malformed(
            name,
            bytes + " bytes for shape " + shape + " of " + dtype,
            (end - begin) + " bytes (data_offsets " + begin + " to " + end + ")");
      }
      long dataSize = fileSize - dataBegin;
      if (end > dataSize) {
        throw SafetensorsException.ofTensor(
            file,
            name,
            "expected its data to end at byte "
                + end
                + " of the data section, found a section of "
                + dataSize
                + " bytes; the file is truncated, download it again");
      }
      return new TensorInfo(name, dtype, shape, dataBegin + begin, dataBegin + end);
    }

    private DType dtype(String tensor) throws IOException {
      if (stream.next() != Part.TEXT) {
        throw malformed(tensor, "a dtype such as \"BF16\"", stream.next().toString());
      }
      String name = stream.text();
      DType dtype = DType.named(name).orElse(null);
      if (dtype != null) {
        return dtype;
      }
      if (name.startsWith("F8") && OTHER_DTYPES.contains(name)) {
        throw SafetensorsException.ofTensor(
            file,
            tensor,
            "found dtype "
                + name
                + ", which is not supported; use a file in BF16, or with 8-bit weights in F8_E4M3,"
                + " F8_E5M2 or I8");
      }
      if (OTHER_DTYPES.contains(name)) {
        throw SafetensorsException.ofTensor(
            file,
            tensor,
            "found dtype "
                + name
                + ", which is not supported; use the BF16, F16 or F32 file of the same model");
      }
      throw malformed(tensor, "a dtype of the safetensors format", Quoted.of(name));
    }

    /** Reads an array of at most {@code limit} integers that are not negative. */
    private List<Long> wholeNumbers(String tensor, String key, int limit) throws IOException {
      if (stream.next() != Part.LIST) {
        throw malformed(tensor, key + " to be an array of whole numbers", stream.next().toString());
      }
      List<Long> numbers = new ArrayList<>();
      stream.beginList();
      while (stream.hasNext()) {
        if (numbers.size() == limit) {
          throw malformed(tensor, "at most " + limit + " numbers in " + key, "more");
        }
        if (stream.next() != Part.NUMBER) {
          throw malformed(tensor, "whole numbers in " + key, stream.next().toString());
        }
        // the literal: a reader of numbers would accept 1.0 and 1e3
        String literal = stream.text();
        if (literal.startsWith("-")) {
          throw malformed(tensor, "no negative number in " + key, shown(literal));
        }
        if (!literal.chars().allMatch(c -> c >= '0' && c <= '9')) {
          throw malformed(tensor, "whole numbers in " + key, shown(literal));
        }
        try {
          numbers.add(Long.parseLong(literal));
        } catch (NumberFormatException e) {
          throw malformed(tensor, "numbers up to 2^63-1 in " + key, shown(literal));
        }
      }
      stream.endList();
      return numbers;
    }

    private static String shown(String literal) {
      return literal.length() <= 40 ? literal : literal.substring(0, 40) + "...";
    }

    /** Sorts by position and checks that the data is covered without holes or overlaps. */
    private Map<String, TensorInfo> inDataOrder(Map<String, TensorInfo> tensors)
        throws SafetensorsException {
      List<TensorInfo> sorted = new ArrayList<>(tensors.values());
      sorted.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
      Map<String, TensorInfo> ordered = new LinkedHashMap<>();
      long covered = dataBegin;
      String before = null;
      for (TensorInfo info : sorted) {
        if (info.begin() < covered) {
          throw malformed(
              info.name(),
              "data of its own",
              "data shared with tensor " + Quoted.of(String.valueOf(before)));
        }
        if (info.begin() > covered) {
          throw malformed(
              info.name(),
              "data starting at byte " + (covered - dataBegin) + " of the data section",
              "byte " + (info.begin() - dataBegin) + ", a hole that no tensor describes");
        }
        covered = info.end();
        before = info.name();
        ordered.put(info.name(), info);
      }
      if (covered != fileSize) {
        throw SafetensorsException.of(
            file,
            "expected "
                + covered
                + " bytes as the header says, found "
                + fileSize
                + ": the last "
                + (fileSize - covered)
                + " bytes belong to no tensor; the file is damaged, download it again");
      }
      return ordered;
    }

    private SafetensorsException malformed(String tensor, String expected, String found) {
      return SafetensorsException.ofTensor(
          file,
          tensor,
          "expected "
              + expected
              + ", found "
              + found
              + "; the file is malformed, download it again or write it with another tool");
    }
  }

  /** Reads a buffer without copying it to the heap as a whole. */
  private static final class BufferStream extends InputStream {
    private final ByteBuffer buffer;

    BufferStream(ByteBuffer buffer) {
      this.buffer = buffer;
    }

    @Override
    public int read() {
      return buffer.hasRemaining() ? buffer.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] target, int offset, int length) {
      if (length == 0) {
        return 0;
      }
      if (!buffer.hasRemaining()) {
        return -1;
      }
      int count = Math.min(length, buffer.remaining());
      buffer.get(target, offset, count);
      return count;
    }
  }
}
