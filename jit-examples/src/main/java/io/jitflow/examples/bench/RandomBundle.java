package io.jitflow.examples.bench;

import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.network.ClipArchitecture;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.network.VaeArchitecture;
import io.jitflow.flux.program.NetworkProgram;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A bundle with the widths of FLUX.1-dev's networks, fewer blocks and random weights. Tokenizers
 * and schedule are those of another bundle.
 */
final class RandomBundle {
  private static final VaeArchitecture VAE =
      new VaeArchitecture(16, List.of(128, 256, 512, 512), 2, 32, 0.3611, 0.1159, false);

  private RandomBundle() {}

  /** Writes it, with weights of a type; other tensors of 8-bit networks are BF16. */
  static FluxBundle write(
      Path folder, FluxBundle like, FluxArchitecture flux, int t5Layers, DType dtype)
      throws IOException {
    Map<FluxNetwork, DType> dtypes = new EnumMap<>(FluxNetwork.class);
    DType small = dtype == DType.I8 ? DType.BF16 : dtype;
    dtypes.put(FluxNetwork.TRANSFORMER, dtype);
    dtypes.put(FluxNetwork.TEXT_ENCODER, small);
    dtypes.put(FluxNetwork.TEXT_ENCODER_2, dtype);
    dtypes.put(FluxNetwork.VAE_DECODER, small);
    ClipArchitecture own = like.textEncoder();
    ClipArchitecture clip =
        new ClipArchitecture(
            own.vocabulary(),
            flux.pooledWidth(),
            3072,
            12,
            12,
            own.positions(),
            own.eosTokenId(),
            "quick_gelu",
            1e-5);
    T5Architecture t5 =
        new T5Architecture(
            like.textEncoder2().vocabulary(),
            flux.textWidth(),
            64,
            64,
            10240,
            t5Layers,
            32,
            128,
            1e-6);
    FluxBundle bundle =
        new FluxBundle(
            folder,
            like.libraryVersion(),
            flux,
            clip,
            t5,
            VAE,
            dtypes,
            like.clipTokens(),
            512,
            like.scheduler(),
            List.of(),
            List.of());
    Files.createDirectories(folder);
    boolean int8 = dtype == DType.I8;
    write(bundle, FluxBundle.MODULATION, NetworkProgram.modulation(flux), small);
    write(
        bundle,
        FluxNetwork.TRANSFORMER.fileName(),
        int8 ? NetworkProgram.int8(flux) : NetworkProgram.of(flux),
        small);
    write(bundle, FluxNetwork.TEXT_ENCODER.fileName(), NetworkProgram.of(clip), small);
    write(
        bundle,
        FluxNetwork.TEXT_ENCODER_2.fileName(),
        int8 ? NetworkProgram.int8(t5) : NetworkProgram.of(t5),
        small);
    write(bundle, FluxNetwork.VAE_DECODER.fileName(), NetworkProgram.of(VAE), small);
    copy(like.clipTokenizer(), folder.resolve(FluxBundle.TOKENIZER));
    copy(like.t5Tokenizer(), folder.resolve(FluxBundle.TOKENIZER_2));
    bundle.writeManifest();
    return FluxBundle.read(folder);
  }

  private static void write(FluxBundle bundle, String file, NetworkProgram program, DType dtype)
      throws IOException {
    Map<String, long[]> shapes = program.tensors();
    program.write(
        bundle.folder().resolve(file),
        name ->
            new Noise(
                program.int8Weights().containsValue(name)
                    ? DType.I8
                    : program.int8Weights().containsKey(name) ? DType.F32 : dtype,
                LongStream.of(shapes.get(name)).boxed().toList(),
                program.int8Weights().containsKey(name) ? 1e-4f : 0.02f),
        bytes -> {});
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  /** Evenly spread numbers around zero; bytes of any value. The same megabyte over and over. */
  private record Noise(DType dtype, List<Long> dimensions, float largest) implements TensorSource {
    @Override
    public long[] shape() {
      return dimensions.stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public void writeTo(WritableByteChannel channel) throws IOException {
      ByteBuffer block = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
      Random random = new Random(1);
      while (block.hasRemaining()) {
        float value = largest * (2 * random.nextFloat() - 1);
        switch (dtype) {
          case F32 -> block.putFloat(value);
          case BF16 -> block.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
          case I8 -> block.put((byte) (random.nextInt(255) - 127));
          default -> throw new IllegalArgumentException("expected F32, BF16 or I8, got " + dtype);
        }
      }
      for (long left = byteCount(); left > 0; ) {
        int length = (int) Math.min(left, block.capacity());
        block.clear().limit(length);
        while (block.hasRemaining()) {
          channel.write(block);
        }
        left -= length;
      }
    }
  }
}
