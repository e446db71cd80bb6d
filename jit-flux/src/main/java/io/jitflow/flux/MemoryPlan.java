package io.jitflow.flux;

import ai.djl.Device;
import ai.djl.engine.EngineException;
import ai.djl.util.cuda.CudaUtils;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
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
 * How a pipeline divides a device's memory: what each policy needs for an image of a size, and
 * which one was chosen. {@code docs/networks.md} has the formula.
 *
 * @param widthPx width of the image in px
 * @param heightPx height of the image in px
 * @param policy the policy, never {@link MemoryPolicy#AUTO}
 * @param decodeTilePx images with a longer side are decoded in tiles of this size
 * @param needed bytes that each policy needs on the device; without {@link MemoryPolicy#STREAMED}
 *     on a GPU if there are adapters, which need the weights in its memory
 * @param freeBytes what was free on the device when the pipeline was loaded; empty if that is not
 *     known
 */
public record MemoryPlan(
    int widthPx,
    int heightPx,
    MemoryPolicy policy,
    int decodeTilePx,
    Map<MemoryPolicy, Long> needed,
    OptionalLong freeBytes) {
  private static final List<MemoryPolicy> FASTEST_FIRST =
      List.of(MemoryPolicy.RESIDENT, MemoryPolicy.SEQUENTIAL, MemoryPolicy.STREAMED);
  private static final List<Integer> TILES_PX = List.of(1024, 768, 512, 384, 256);

  /** The smallest tile that is worth a faster policy: smaller ones differ visibly in tone. */
  private static final int SMALLEST_TILE_PX = 512;

  /**
   * Makes the map immutable.
   *
   * @param widthPx in px
   * @param heightPx in px
   * @param policy the one that was chosen
   * @param decodeTilePx in px
   * @param needed copied
   * @param freeBytes in bytes, or empty
   */
  public MemoryPlan {
    needed = Collections.unmodifiableMap(new EnumMap<>(needed));
  }

  /**
   * Divides what is free.
   *
   * @throws IllegalStateException saying what each policy needs, if the policy is left open and
   *     none fits; or if the options ask for what this device cannot do
   */
  static MemoryPlan of(
      FluxOptions options, MemoryEstimate estimate, MemoryEstimate.Size size, OptionalLong free) {
    int smallest = smallestTilePx(options);
    Map<MemoryPolicy, Long> needed = new EnumMap<>(MemoryPolicy.class);
    for (MemoryPolicy policy : FASTEST_FIRST) {
      if (policy != MemoryPolicy.STREAMED || estimate.streams() || !estimate.isGpu()) {
        needed.put(policy, estimate.bytes(policy, size, smallest));
      }
    }
    if (options.memory() != MemoryPolicy.AUTO) {
      if (!needed.containsKey(options.memory())) {
        throw new IllegalStateException(
            "weights that are streamed to a GPU cannot take adapters in memory; merge the adapters"
                + " at conversion, or choose another memory policy");
      }
      return new MemoryPlan(
          size.widthPx(), size.heightPx(), options.memory(), options.decodeTilePx(), needed, free);
    }
    long budget = free.orElse(Long.MAX_VALUE);
    MemoryPolicy policy =
        FASTEST_FIRST.stream()
            .filter(needed::containsKey)
            .filter(candidate -> Objects.requireNonNull(needed.get(candidate)) <= budget)
            .findFirst()
            .orElseThrow(() -> new IllegalStateException(nothingFits(size, needed, free)));
    int tile =
        Stream.concat(
                Stream.of(options.decodeTilePx()),
                TILES_PX.stream().filter(px -> px < options.decodeTilePx()))
            .filter(px -> estimate.bytes(policy, size, px) <= budget)
            .findFirst()
            .orElse(smallest);
    return new MemoryPlan(size.widthPx(), size.heightPx(), policy, tile, needed, free);
  }

  /** The smallest tile that a plan may choose. */
  static int smallestTilePx(FluxOptions options) {
    return options.memory() == MemoryPolicy.AUTO
        ? Math.min(options.decodeTilePx(), SMALLEST_TILE_PX)
        : options.decodeTilePx();
  }

  private static String nothingFits(
      MemoryEstimate.Size size, Map<MemoryPolicy, Long> needed, OptionalLong free) {
    return String.format(
        Locale.ROOT,
        "for an image of %s the device needs %s, and has %.1f GB free; close other programs, choose"
            + " another device, convert the checkpoint with 8-bit weights, or draw smaller images",
        size,
        describe(needed),
        free.orElse(0) / 1e9);
  }

  private static String describe(Map<MemoryPolicy, Long> needed) {
    return needed.entrySet().stream()
        .map(
            entry ->
                String.format(
                    Locale.ROOT,
                    "%.1f GB %s",
                    entry.getValue() / 1e9,
                    switch (entry.getKey()) {
                      case RESIDENT -> "with all networks resident";
                      case SEQUENTIAL -> "with one after the other";
                      default -> "with weights streamed from host memory";
                    }))
        .collect(Collectors.joining(", "));
  }

  /**
   * Free memory of a GPU, or what the system says it can give on a CPU.
   *
   * @param policy of the options
   * @return in bytes; empty if a GPU's cannot be measured and the policy does not depend on it
   * @throws IllegalStateException saying what is missing, if it does
   */
  static OptionalLong freeBytes(Device device, MemoryPolicy policy) {
    if (device.isGpu()) {
      try {
        EngineSetup.releaseUnused(device); // libtorch keeps what closed pipelines have freed
        MemoryUsage usage = CudaUtils.getGpuMemory(device);
        return OptionalLong.of(usage.getMax() - usage.getCommitted());
      } catch (IllegalStateException | EngineException e) {
        if (policy != MemoryPolicy.AUTO) {
          return OptionalLong.empty();
        }
        throw new IllegalStateException(
            "the free memory of %s cannot be measured (%s): %s, or name a memory policy"
                .formatted(device, e.getMessage(), EngineSetup.LIBCUDART),
            e);
      }
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
        "memory policy %s, tiles of %d px; needed for %d x %d px: %s%s",
        policy,
        decodeTilePx,
        widthPx,
        heightPx,
        describe(needed),
        freeBytes.isPresent()
            ? String.format(Locale.ROOT, "; free: %.1f GB", freeBytes.getAsLong() / 1e9)
            : "");
  }
}
