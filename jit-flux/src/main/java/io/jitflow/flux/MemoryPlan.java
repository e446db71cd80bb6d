package io.jitflow.flux;

import ai.djl.Device;
import ai.djl.util.cuda.CudaUtils;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How a pipeline divides a device's memory: what each policy needs for an image of 1024 x 1024 px
 * with 512 text tokens, and which one was chosen. {@code docs/networks.md} has the formula.
 *
 * @param policy the policy, never {@link MemoryPolicy#AUTO}
 * @param decodeTilePx images with a longer side are decoded in tiles of this size
 * @param needed bytes that each policy needs on the device
 * @param freeBytes what is free on the device; empty if that is not known
 */
public record MemoryPlan(
    MemoryPolicy policy, int decodeTilePx, Map<MemoryPolicy, Long> needed, OptionalLong freeBytes) {
  private static final List<MemoryPolicy> FASTEST_FIRST =
      List.of(MemoryPolicy.RESIDENT, MemoryPolicy.SEQUENTIAL, MemoryPolicy.STREAMED);
  private static final int IMAGE_TOKENS = 4096;
  private static final int TEXT_TOKENS = 512;
  private static final List<Integer> TILES_PX = List.of(1024, 768, 512, 384, 256);

  /** The smallest tile that is worth a faster policy: smaller ones differ visibly in tone. */
  private static final int SMALLEST_TILE_PX = 512;

  private static final int DECODER_TENSORS = 6;

  /** What engine, libraries and the Java process take by themselves. */
  private static final long OVERHEAD = 500_000_000;

  /**
   * Makes the map immutable.
   *
   * @param policy the policy, never {@link MemoryPolicy#AUTO}
   * @param decodeTilePx images with a longer side are decoded in tiles of this size
   * @param needed bytes that each policy needs on the device
   * @param freeBytes what is free on the device; empty if that is not known
   */
  public MemoryPlan {
    needed = Collections.unmodifiableMap(new EnumMap<>(needed));
  }

  static MemoryPlan of(
      FluxOptions options, FluxBundle bundle, Device device, ArithmeticChoice arithmetic)
      throws IOException {
    return of(options, new Weights(bundle, arithmetic), bundle, freeBytes(device));
  }

  /** The same for a device of which this much is free. */
  static MemoryPlan of(FluxOptions options, Weights weights, FluxBundle bundle, OptionalLong free) {
    int smallest = Math.min(options.decodeTilePx(), SMALLEST_TILE_PX);
    Map<MemoryPolicy, Long> needed = new EnumMap<>(MemoryPolicy.class);
    for (MemoryPolicy policy : FASTEST_FIRST) {
      needed.put(policy, bytes(policy, weights, bundle, smallest));
    }
    MemoryPolicy policy = options.memory();
    if (policy == MemoryPolicy.AUTO) {
      policy =
          FASTEST_FIRST.stream()
              .filter(
                  candidate ->
                      Objects.requireNonNull(needed.get(candidate)) <= free.orElse(Long.MAX_VALUE))
              .findFirst()
              .orElseThrow(() -> new IllegalStateException(nothingFits(bundle, needed, free)));
    }
    int tile = options.decodeTilePx();
    if (options.memory() == MemoryPolicy.AUTO) {
      MemoryPolicy chosen = policy;
      tile =
          Stream.concat(
                  Stream.of(tile), TILES_PX.stream().filter(px -> px < options.decodeTilePx()))
              .filter(px -> bytes(chosen, weights, bundle, px) <= free.orElse(Long.MAX_VALUE))
              .findFirst()
              .orElse(smallest);
    }
    return new MemoryPlan(policy, tile, needed, free);
  }

  private static String nothingFits(
      FluxBundle bundle, Map<MemoryPolicy, Long> needed, OptionalLong free) {
    return String.format(
        Locale.ROOT,
        "%s: for an image of 1024 x 1024 px the device needs %s, and has %.1f GB free; close other"
            + " programs, choose another device, or convert the checkpoint with 8-bit weights",
        bundle.folder(),
        describe(needed),
        free.orElse(0) / 1e9);
  }

  private static String describe(Map<MemoryPolicy, Long> needed) {
    return FASTEST_FIRST.stream()
        .map(
            policy ->
                String.format(
                    Locale.ROOT,
                    "%.1f GB %s",
                    Objects.requireNonNull(needed.get(policy)) / 1e9,
                    switch (policy) {
                      case RESIDENT -> "with all networks resident";
                      case SEQUENTIAL -> "with one after the other";
                      default -> "with weights streamed from host memory";
                    }))
        .collect(Collectors.joining(", "));
  }

  /** What is on the device at the worst moment of a run. */
  static long bytes(MemoryPolicy policy, Weights weights, FluxBundle bundle, int tilePx) {
    long layer = largestMatrix(bundle, weights);
    long work = activations(bundle.transformer(), weights.width(FluxNetwork.TRANSFORMER));
    work += weights.int8() ? layer : 0;
    long decode =
        (long) DECODER_TENSORS
            * Float.BYTES
            * tilePx
            * tilePx
            * bundle.vaeDecoder().blockChannels().get(0);
    long text = weights.clip + weights.t5;
    long vae = weights.vae + OVERHEAD;
    return switch (policy) {
      case SEQUENTIAL ->
          vae
              + Math.max(
                  Math.max(text, weights.modulation), weights.transformer + Math.max(work, decode));
      case STREAMED -> vae + Math.max(work + layer, decode);
      default -> vae + text + weights.modulation + weights.transformer + Math.max(work, decode);
    };
  }

  /**
   * Per token of a single block: its input, the fused product of queries, keys, values and
   * feed-forward, attention and activated feed-forward, and both of them joined.
   */
  static long activations(FluxArchitecture a, int width) {
    long tokens = IMAGE_TOKENS + TEXT_TOKENS;
    return tokens * width * (6L * a.hiddenSize() + 3L * a.mlpWidth());
  }

  private static long largestMatrix(FluxBundle bundle, Weights weights) {
    FluxArchitecture a = bundle.transformer();
    return weights.width(FluxNetwork.TRANSFORMER)
        * (3L * a.hiddenSize() + a.mlpWidth())
        * a.hiddenSize();
  }

  /** Free memory of a GPU, or what the system says it can give on a CPU. */
  private static OptionalLong freeBytes(Device device) {
    if (device.isGpu()) {
      MemoryUsage usage = CudaUtils.getGpuMemory(device);
      return OptionalLong.of(usage.getMax() - usage.getCommitted());
    }
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      return lines
          .filter(line -> line.startsWith("MemAvailable:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .map(bytes -> Math.min(bytes, ArithmeticChoice.machineMemory()))
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.of(ArithmeticChoice.machineMemory()); // not Linux
    }
  }

  /** In words, for logs: the policy, what it needs and what is free. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "memory policy %s, tiles of %d px; needed: %s%s",
        policy,
        decodeTilePx,
        describe(needed),
        freeBytes.isPresent()
            ? String.format(Locale.ROOT, "; free: %.1f GB", freeBytes.getAsLong() / 1e9)
            : "");
  }

  /** Sizes of the networks as they will be in memory. */
  static final class Weights {
    private final FluxBundle bundle;
    private final ArithmeticChoice arithmetic;
    private final long clip;
    private final long t5;
    private final long modulation;
    private final long transformer;
    private final long vae;

    Weights(FluxBundle bundle, ArithmeticChoice arithmetic) throws IOException {
      this.bundle = bundle;
      this.arithmetic = arithmetic;
      this.clip = size(FluxNetwork.TEXT_ENCODER, bundle.file(FluxNetwork.TEXT_ENCODER), false);
      this.t5 =
          size(
              FluxNetwork.TEXT_ENCODER_2,
              bundle.file(FluxNetwork.TEXT_ENCODER_2),
              isInt8(FluxNetwork.TEXT_ENCODER_2));
      this.transformer =
          size(FluxNetwork.TRANSFORMER, bundle.file(FluxNetwork.TRANSFORMER), int8());
      this.modulation =
          bundle.modulation().isPresent()
              ? size(FluxNetwork.TRANSFORMER, bundle.modulation().get(), false)
              : 0;
      this.vae = size(FluxNetwork.VAE_DECODER, bundle.file(FluxNetwork.VAE_DECODER), false);
    }

    private long size(FluxNetwork network, Path file, boolean mostlyInt8) throws IOException {
      long stored = Files.size(file);
      boolean doubles =
          arithmetic.converts(network) && !mostlyInt8 && bundle.dtypes().get(network) != DType.F32;
      return doubles ? 2 * stored : stored;
    }

    private boolean isInt8(FluxNetwork network) {
      return bundle.dtypes().get(network) == DType.I8;
    }

    boolean int8() {
      return isInt8(FluxNetwork.TRANSFORMER);
    }

    /** Bytes of a number in the arithmetic of a network. */
    int width(FluxNetwork network) {
      boolean wide = arithmetic.converts(network) || bundle.dtypes().get(network) == DType.F32;
      return wide ? Float.BYTES : Short.BYTES;
    }
  }
}
