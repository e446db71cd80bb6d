package io.jitflow.flux.convert;

import io.jitflow.flux.convert.ConversionOptions.Checksums;
import io.jitflow.flux.safetensors.RawSafetensors;
import io.jitflow.flux.weights.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/**
 * Measures the conversion of a checkpoint with the names, shapes and size of FLUX.1-dev and random
 * weights; not a test. {@code docs/converting.md} has results.
 *
 * <pre>
 * make FOLDER TOKENIZERS T5_BLOCKS        writes the checkpoint: 24 GB and 0.4 GB per T5 block
 * convert FOLDER BUNDLE DTYPE CHECKSUMS   converts it; run it with -Xmx512m
 * </pre>
 */
final class LargeConversion {
  private static final int BLOCK_ELEMENTS = 16 << 20;

  private static final long SAMPLE_BYTES = 200_000_000;

  private static long peakAnonymous;

  private LargeConversion() {}

  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[1]);
    if (args[0].equals("make")) {
      make(folder, Path.of(args[2]), Integer.parseInt(args[3]));
    } else {
      convert(
          folder, Path.of(args[2]), DType.named(args[3]).orElseThrow(), Checksums.valueOf(args[4]));
    }
  }

  private static void make(Path folder, Path tokenizers, int t5Blocks) throws IOException {
    Files.createDirectories(folder.resolve("text_encoder"));
    Files.createDirectories(folder.resolve("text_encoder_2"));
    Files.createSymbolicLink(folder.resolve("tokenizer"), tokenizers.resolve("clip"));
    Files.createSymbolicLink(folder.resolve("tokenizer_2"), tokenizers.resolve("t5"));
    fill(
        RealShapes.originalTransformer(19, 38, true)
            .writeSparse(folder.resolve("flux1-dev.safetensors")));
    fill(RealShapes.originalAutoencoder().writeSparse(folder.resolve("ae.safetensors")));
    Path clip = folder.resolve("text_encoder");
    fill(RealShapes.clipL().writeSparse(clip.resolve("model.safetensors")));
    Files.writeString(clip.resolve("config.json"), "{" + RealShapesTest.CLIP_SIZES + "}");
    Path t5 = folder.resolve("text_encoder_2");
    RawSafetensors blocks =
        RealShapes.t5Xxl()
            .without(
                name ->
                    name.startsWith("encoder.block.")
                        && Integer.parseInt(name.split("\\.", 4)[2]) >= t5Blocks);
    fill(blocks.writeSparse(t5.resolve("model.safetensors")));
    Files.writeString(
        t5.resolve("config.json"),
        "{\"d_ff\":10240,\"d_kv\":64,\"d_model\":4096,\"num_heads\":64,\"vocab_size\":32128}");
  }

  /** Overwrites the zeros with small BF16 numbers (which as F32 are small numbers, too). */
  private static void fill(Path file) throws IOException {
    SplittableRandom random = new SplittableRandom(file.toString().length());
    ByteBuffer block = ByteBuffer.allocateDirect(BLOCK_ELEMENTS * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < BLOCK_ELEMENTS; i++) {
      int bits = Float.floatToRawIntBits((float) random.nextDouble(-0.1, 0.1));
      block.putShort(i * 2, (short) (bits >>> 16));
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(length, 0);
      long position = 8 + length.getLong(0);
      long size = channel.size();
      while (position < size) {
        int start = random.nextInt(BLOCK_ELEMENTS / 2) * 2;
        block.limit((int) Math.min(block.capacity(), start + size - position)).position(start);
        position += channel.write(block, position);
      }
      channel.force(true);
    }
  }

  private static void convert(Path folder, Path bundle, DType dtype, Checksums checksums)
      throws IOException {
    FluxCheckpoint checkpoint =
        FluxCheckpoint.ofOriginalFiles(
            folder.resolve("flux1-dev.safetensors"), folder.resolve("ae.safetensors"), folder);
    ConversionOptions options =
        ConversionOptions.defaults().withDtype(dtype).withChecksums(checksums);
    long output =
        FluxConverter.plan(checkpoint, options).networks().stream()
            .mapToLong(ConversionPlan.Network::outputBytes)
            .sum();
    long start = System.nanoTime();
    long[] anonymous = {0};
    FluxConverter.convert(
        checkpoint,
        bundle,
        options,
        progress -> {
          if (progress.bytesDone() / SAMPLE_BYTES != anonymous[0] / SAMPLE_BYTES) {
            anonymous[0] = progress.bytesDone();
            peakAnonymous = Math.max(peakAnonymous, status("RssAnon"));
          }
        });
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "%s, checksums %s: %.2f GB in %.1f s, %.0f MB/s%n",
        dtype, checksums, output / 1e9, seconds, output / 1e6 / seconds);
    System.out.printf(
        "peak RSS %d MB with mapped pages, peak RssAnon %d MB, heap limit %d MB%n",
        status("VmHWM") / 1024, peakAnonymous / 1024, Runtime.getRuntime().maxMemory() >> 20);
  }

  /** One entry of the process's status in kilobytes. */
  private static long status(String key) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(key + ":")) {
          return Long.parseLong(line.replaceAll("\\D", ""));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    throw new IllegalStateException("no " + key + " in /proc/self/status");
  }
}
