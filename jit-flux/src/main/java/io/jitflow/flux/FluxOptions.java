package io.jitflow.flux;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.StandardCapabilities;
import io.jitflow.core.check.Checks;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.network.VaeTiling;
import io.jitflow.flux.weights.LoraAdapter;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * How a pipeline uses the machine. Immutable.
 *
 * @param device where the networks run; empty for the engine's choice, which is the first GPU if
 *     there is one
 * @param memory which networks are in memory at the same time
 * @param cachedPrompts how many prompts' embeddings are kept for repeated use, 0 or more; one takes
 *     8 MB with FLUX.1-dev. What was modulated for them is kept too, 4.2 MB for each noise level,
 *     211 MB for 50 steps, of the prompts used last: together at most 128 levels, 541 MB. Requests
 *     of more levels, twice the steps with a negative prompt, are modulated anew each time
 * @param decodeTilePx images with a longer side are decoded in overlapping tiles of this size, a
 *     multiple of 16 from 128 on; one tile of 1024 px takes about 4 GB in float32
 * @param arithmetic in which type the networks compute
 * @param adapters LoRA files that are added to the weights in memory, in this order; the bundle
 *     stays as it is
 * @param verification how the bundle's files are compared with its manifest at loading
 */
public record FluxOptions(
    Optional<Device> device,
    MemoryPolicy memory,
    int cachedPrompts,
    int decodeTilePx,
    Arithmetic arithmetic,
    List<LoraAdapter> adapters,
    Verification verification) {
  private static final int LATENT_PX = 8;

  /**
   * Checks the ranges.
   *
   * @param device any, or empty
   * @param memory any
   * @param cachedPrompts 0 or more
   * @param decodeTilePx a multiple of 16 from 128 on
   * @param arithmetic any
   * @param adapters copied
   * @param verification any
   * @throws IllegalArgumentException if a value is out of range
   */
  public FluxOptions {
    adapters = List.copyOf(adapters);
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(memory, "memory");
    Objects.requireNonNull(arithmetic, "arithmetic");
    Objects.requireNonNull(verification, "verification");
    Checks.argument(cachedPrompts >= 0, "cachedPrompts must be at least 0, got %d", cachedPrompts);
    Checks.argument(
        decodeTilePx >= 128 && decodeTilePx % 16 == 0,
        "decodeTilePx must be a multiple of 16 from 128 on, got %d",
        decodeTilePx);
  }

  /**
   * Returns the usual options: the engine's device, the fastest memory policy that fits, 16 cached
   * prompts, tiles above 1024 px, the arithmetic that is fast on the device, files verified fast.
   *
   * @return the options
   */
  public static FluxOptions defaults() {
    return new FluxOptions(
        Optional.empty(),
        MemoryPolicy.AUTO,
        16,
        1024,
        Arithmetic.AUTO,
        List.of(),
        Verification.FAST);
  }

  /**
   * With another device.
   *
   * @param value where the networks run
   * @return the changed copy
   */
  public FluxOptions withDevice(Device value) {
    return new FluxOptions(
        Optional.of(value),
        memory,
        cachedPrompts,
        decodeTilePx,
        arithmetic,
        adapters,
        verification);
  }

  /**
   * For a {@link FluxPool} on all GPUs of this machine.
   *
   * @return a copy for each GPU; where there is none, these options alone
   */
  public List<FluxOptions> onEveryGpu() {
    int gpus = Engine.getEngine("PyTorch").getGpuCount();
    return gpus == 0
        ? List.of(this)
        : IntStream.range(0, gpus).mapToObj(i -> withDevice(Device.gpu(i))).toList();
  }

  /**
   * Refuses a device that this machine does not have.
   *
   * @return these options
   * @throws IllegalArgumentException if the engine finds no GPU of this number
   */
  public FluxOptions check() {
    device.filter(Device::isGpu).ifPresent(FluxOptions::requireGpu);
    return this;
  }

  /** Without libcudart DJL counts no GPU, though libtorch may use them: those are trusted. */
  private static void requireGpu(Device gpu) {
    Engine engine = Engine.getEngine("PyTorch");
    int found = engine.getGpuCount();
    boolean isCounted = found > 0 || !engine.hasCapability(StandardCapabilities.CUDA);
    Checks.argument(
        !isCounted || gpu.getDeviceId() < found,
        "PyTorch finds %d GPU%s on this machine, and no %s; choose another device",
        found,
        found == 1 ? "" : "s",
        gpu);
  }

  /**
   * With another memory policy.
   *
   * @param value which networks are in memory at the same time
   * @return the changed copy
   */
  public FluxOptions withMemory(MemoryPolicy value) {
    return new FluxOptions(
        device, value, cachedPrompts, decodeTilePx, arithmetic, adapters, verification);
  }

  /**
   * With another size of the prompt cache.
   *
   * @param value how many prompts' embeddings are kept
   * @return the changed copy
   */
  public FluxOptions withCachedPrompts(int value) {
    return new FluxOptions(device, memory, value, decodeTilePx, arithmetic, adapters, verification);
  }

  /**
   * With another tile size for decoding.
   *
   * @param value the size in px
   * @return the changed copy
   */
  public FluxOptions withDecodeTilePx(int value) {
    return new FluxOptions(
        device, memory, cachedPrompts, value, arithmetic, adapters, verification);
  }

  /**
   * With another arithmetic.
   *
   * @param value in which type the networks compute
   * @return the changed copy
   */
  public FluxOptions withArithmetic(Arithmetic value) {
    return new FluxOptions(
        device, memory, cachedPrompts, decodeTilePx, value, adapters, verification);
  }

  /**
   * With another verification.
   *
   * @param value how the bundle's files are compared with its manifest at loading
   * @return the changed copy
   */
  public FluxOptions withVerification(Verification value) {
    return new FluxOptions(
        device, memory, cachedPrompts, decodeTilePx, arithmetic, adapters, value);
  }

  /**
   * With adapters.
   *
   * @param value LoRA files with their scales, in the order in which they are added
   * @return the changed copy
   */
  public FluxOptions withAdapters(List<LoraAdapter> value) {
    return new FluxOptions(
        device, memory, cachedPrompts, decodeTilePx, arithmetic, value, verification);
  }

  /** The decoder's tiles: a quarter of each overlaps the next one. */
  static VaeTiling decodeTiling(int decodeTilePx) {
    int tile = decodeTilePx / LATENT_PX;
    return new VaeTiling(tile, tile / 4);
  }

  /** The device, chosen if left open. */
  Device resolvedDevice() {
    return device.orElseGet(() -> Engine.getEngine("PyTorch").defaultDevice());
  }

  /**
   * Which networks are on the device at the same time. Figures are for FLUX.1-dev, weights only.
   */
  public enum MemoryPolicy {
    /**
     * The first of the others that fits the free memory of the device with an image of 1024 x 1024
     * px, and for a larger image the first that fits it; the pipeline says by {@link
     * FluxPipeline#memoryPlan()} which one that is.
     */
    AUTO,
    /**
     * All of them, from loading the pipeline until it is closed; the encoder of the autoencoder,
     * which pictures to start from and previews need, from its first use. The fastest: 33.7 GB in
     * bf16, 20.4 GB in int8.
     */
    RESIDENT,
    /**
     * The text encoders, or the modulation, or the transformer, one after the other: each is freed
     * before the next is loaded, and the transformer is freed when a prompt must be encoded, or
     * noise levels modulated, that are not cached. 17.4 GB in bf16, 8.8 GB in int8.
     */
    SEQUENTIAL,
    /**
     * One after the other as in {@link #SEQUENTIAL}, and their weights stay in host memory, from
     * where each layer's go to the device whenever it runs: for devices that are smaller than the
     * transformer. Every step moves the transformer's weights once, 17.3 GB in bf16, 8.7 GB in
     * int8. On a CPU nothing moves: weights are pages of the bundle's files, which the system reads
     * and drops as it has room; those that are narrower than the arithmetic are widened where they
     * are used. Adapters need their weights in memory: they are refused here on a GPU, and on a CPU
     * the networks are loaded as in {@link #SEQUENTIAL}.
     */
    STREAMED
  }

  /** In which type the networks compute. Their weights may lie in the bundle in another one. */
  public enum Arithmetic {
    /**
     * What is fast where the pipeline runs. On a GPU: as stored. On a CPU: weights in bfloat16 are
     * kept if its processor has units for bfloat16, which its features tell on Linux for x86 and a
     * short measurement, once per process, elsewhere. All other weights are converted to float32
     * when they are loaded, or with {@link MemoryPolicy#STREAMED} each matrix where it is used;
     * with {@link MemoryPolicy#RESIDENT} and {@link MemoryPolicy#SEQUENTIAL} they stay as stored if
     * the memory of the machine does not allow it.
     *
     * <p>Pixels of different types differ slightly: choose one of the others where images must be
     * the same, bit for bit, on several machines of one kind.
     */
    AUTO,
    /**
     * In float32: weights in other types are converted when they are loaded, to twice the size;
     * with {@link MemoryPolicy#STREAMED} each matrix where it is used.
     */
    FLOAT32,
    /** In the type of the weights in the bundle. */
    AS_STORED
  }
}
