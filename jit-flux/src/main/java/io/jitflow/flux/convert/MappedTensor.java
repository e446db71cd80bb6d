package io.jitflow.flux.convert;

import io.jitflow.flux.naming.TensorExpression;
import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.safetensors.SafetensorsFile;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A tensor of one of our programs, read from a checkpoint and converted while it is written. */
final class MappedTensor {
  private static final int COPY_BYTES = 4 << 20;

  private final TensorFiles files;
  private final List<Span> spans;
  private final DType dtype;

  /** A range of bytes of one tensor of the checkpoint. */
  private record Span(TensorInfo info, long begin, long end) {
    String name() {
      return info.name();
    }

    DType dtype() {
      return info.dtype();
    }
  }

  private MappedTensor(TensorFiles files, TensorExpression expression, DType dtype)
      throws IOException {
    this.files = files;
    this.dtype = dtype;
    this.spans = new ArrayList<>();
    for (String name : expression.inputs()) {
      TensorInfo info = files.info(name);
      long bytes = info.byteSize();
      if (expression instanceof TensorExpression.HalvesSwapped) {
        spans.add(new Span(info, bytes / 2, bytes));
        spans.add(new Span(info, 0, bytes / 2));
      } else {
        spans.add(new Span(info, 0, bytes));
      }
    }
  }

  static TensorSource of(TensorFiles files, TensorExpression expression, DType dtype, long[] shape)
      throws IOException {
    return TensorSource.of(dtype, shape, new MappedTensor(files, expression, dtype)::writeTo);
  }

  private void writeTo(WritableByteChannel channel) throws IOException {
    for (Span span : spans) {
      try {
        if (FloatConversion.isByte(span.dtype())) {
          widen(span, channel);
        } else if (span.dtype() == dtype) {
          copy(span, channel);
        } else {
          convert(span, channel);
        }
      } catch (InternalError e) {
        // the JVM's word for a page of a mapped file that cannot be read
        throw new CheckpointException(
            at(span)
                + ": could not be read any more; the file was changed during the conversion or its"
                + " disk failed",
            e);
      }
    }
  }

  private void copy(Span span, WritableByteChannel channel) throws IOException {
    for (long offset = span.begin(); offset < span.end(); ) {
      int length = (int) Math.min(COPY_BYTES, span.end() - offset);
      write(files.slice(span.name(), offset, length), channel);
      offset += length;
    }
  }

  /** Reads 8-bit numbers, multiplies them by their scales in float32, and narrows the products. */
  private void widen(Span span, WritableByteChannel channel) throws IOException {
    Optional<WeightScale> scale = WeightScale.of(files.tensors(), span.info());
    float[] factors = scale.isPresent() ? scale.get().read(files) : new float[] {1};
    long columns = factors.length == 1 ? 1 : span.info().elementCount() / factors.length;
    FloatConversion widening = new FloatConversion(span.dtype(), DType.F32);
    FloatConversion narrowing = new FloatConversion(DType.F32, dtype);
    ByteBuffer wide =
        ByteBuffer.allocate(FloatConversion.CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer converted = ByteBuffer.allocate(FloatConversion.CHUNK * dtype.byteSize());
    for (long offset = span.begin(); offset < span.end(); offset += FloatConversion.CHUNK) {
      int count = (int) Math.min(FloatConversion.CHUNK, span.end() - offset);
      widening.convert(files.slice(span.name(), offset, count), wide.clear());
      FloatBuffer numbers = wide.flip().asFloatBuffer();
      for (int i = 0; i < count; i++) {
        float factor = factors[factors.length == 1 ? 0 : (int) ((offset + i) / columns)];
        numbers.put(i, numbers.get(i) * factor);
      }
      int misfit = narrowing.convert(wide, converted.clear());
      if (misfit >= 0) {
        throw beyond(span, offset + misfit, narrowing.value(misfit));
      }
      write(converted.flip(), channel);
    }
  }

  private CheckpointException beyond(Span span, long element, float value) throws IOException {
    return new CheckpointException(
        at(span)
            + ": element "
            + element
            + " is "
            + value
            + ", beyond the largest "
            + dtype
            + " "
            + FloatConversion.largest(dtype)
            + "; convert to a type with a larger range (BF16 or F32)");
  }

  private void convert(Span span, WritableByteChannel channel) throws IOException {
    FloatConversion conversion = new FloatConversion(span.dtype(), dtype);
    ByteBuffer converted = ByteBuffer.allocate(FloatConversion.CHUNK * dtype.byteSize());
    int width = span.dtype().byteSize();
    for (long offset = span.begin(); offset < span.end(); ) {
      int length = (int) Math.min((long) FloatConversion.CHUNK * width, span.end() - offset);
      converted.clear();
      int misfit = conversion.convert(files.slice(span.name(), offset, length), converted);
      if (misfit >= 0) {
        throw beyond(span, offset / width + misfit, conversion.value(misfit));
      }
      write(converted.flip(), channel);
      offset += length;
    }
  }

  private static void write(ByteBuffer bytes, WritableByteChannel channel) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private String at(Span span) throws IOException {
    SafetensorsFile file = files.fileOf(span.name());
    return file.path() + ": tensor " + TensorInfo.quote(span.name());
  }
}
