package io.jitflow.flux.convert;

import io.jitflow.flux.naming.TensorExpression;
import io.jitflow.flux.safetensors.SafetensorsFile;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FloatConversion;
import io.jitflow.flux.weights.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;

/** A tensor of one of our programs, read from a checkpoint and converted while it is written. */
final class MappedTensor {
  private static final int COPY_BYTES = 4 << 20;

  private final TensorFiles files;
  private final List<Span> spans;
  private final DType dtype;

  /** A range of bytes of one tensor of the checkpoint. */
  private record Span(String name, DType dtype, long begin, long end) {}

  private MappedTensor(TensorFiles files, TensorExpression expression, DType dtype)
      throws IOException {
    this.files = files;
    this.dtype = dtype;
    this.spans = new ArrayList<>();
    for (String name : expression.inputs()) {
      TensorInfo info = files.info(name);
      long bytes = info.byteSize();
      if (expression instanceof TensorExpression.HalvesSwapped) {
        spans.add(new Span(name, info.dtype(), bytes / 2, bytes));
        spans.add(new Span(name, info.dtype(), 0, bytes / 2));
      } else {
        spans.add(new Span(name, info.dtype(), 0, bytes));
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
        if (span.dtype() == dtype) {
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

  private void convert(Span span, WritableByteChannel channel) throws IOException {
    FloatConversion conversion = new FloatConversion(span.dtype(), dtype);
    ByteBuffer converted = ByteBuffer.allocate(FloatConversion.CHUNK * dtype.byteSize());
    int width = span.dtype().byteSize();
    for (long offset = span.begin(); offset < span.end(); ) {
      int length = (int) Math.min((long) FloatConversion.CHUNK * width, span.end() - offset);
      converted.clear();
      int misfit = conversion.convert(files.slice(span.name(), offset, length), converted);
      if (misfit >= 0) {
        throw new CheckpointException(
            at(span)
                + ": element "
                + (offset / width + misfit)
                + " is "
                + conversion.value(misfit)
                + ", beyond the largest "
                + dtype
                + " "
                + FloatConversion.largest(dtype)
                + "; convert to a type with a larger range (BF16 or F32)");
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
