package io.jitflow.flux;

import ai.djl.Device;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.network.T5Architecture;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What an image takes of a device's memory under each policy: the one formula, which {@code
 * docs/networks.md} explains, behind the choice of a policy, of tiles, and the refusal of images
 * that no machine of this size can draw. Immutable.
 */
final class MemoryEstimate {
  /** What the JVM, its heap and the engine's libraries take by themselves; measured. */
  private static final long PROCESS = 450_000_000;

  /** What a driver and the engine's libraries take of a GPU; not measured. */
  private static final long CONTEXT = 500_000_000;

  /** Of a residual block over twice the channels: three, and the copies of a convolution. */
  private static final int DECODER_TENSORS = 8;

  /** The picture on the device, and what becomes of it in Java's heap: floats, then pixels. */
  private static final int DEVICE_BYTES_PER_PIXEL = 3 * Float.BYTES;

  private static final int HEAP_BYTES_PER_PIXEL = 3 * Float.BYTES + 2 * Integer.BYTES;

  /** Of the pictures of a request that are made already. */
  private static final int KEPT_BYTES_PER_PIXEL = Integer.BYTES;

  private final FluxBundle bundle;
  private final ArithmeticChoice arithmetic;
  private final boolean gpu;
  private final boolean streams;
  private final int cachedPrompts;
  private final long clip;
  private final long t5;
  private final long modulation;
  private final long transformer;
  private final long vae;

  /**
   * An image's size.
   *
   * @param widthPx its width
   * @param heightPx its height
   * @param textTokens text tokens
   * @param levels noise levels that are modulated for it
   */
  record Size(int widthPx, int heightPx, int textTokens, long levels) {
    private static final int USUAL_LEVELS = 64;

    /** What a pipeline is loaded for. */
    static Size usual(FluxBundle bundle) {
      return new Size(1024, 1024, bundle.t5Tokens(), USUAL_LEVELS);
    }

    static Size of(FluxBundle bundle, ImageRequest request) {
      long steps = request.sampler().orElseGet(() -> FluxPipeline.standardSampler(bundle)).steps();
      int prompts = request.negativePrompt().isPresent() ? 2 : 1;
      int passes = request.secondPass().isPresent() ? 2 : 1;
      return new Size(
          request.widthPx(),
          request.heightPx(),
          request.textTokens().orElse(bundle.t5Tokens()),
          steps * prompts * passes);
    }

    long pixels() {
      return (long) widthPx * heightPx;
    }

    /** Whether an image of this size needs no more than one of another. */
    boolean fitsIn(Size other) {
      return pixels() <= other.pixels() && textTokens <= other.textTokens && levels <= other.levels;
    }

    private long tokens() {
      return pixels() / (ImageRequest.SIZE_STEP_PX * ImageRequest.SIZE_STEP_PX) + textTokens;
    }

    @Override
    public String toString() {
      return "%d x %d px".formatted(widthPx, heightPx);
    }
  }

  /**
   * Reads the sizes of the bundle's files.
   *
   * @param bundle the networks
   * @param arithmetic in which type they compute
   * @param device where
   * @param adapted whether adapters are added to them in memory, where weights cannot be mapped
   * @param cachedPrompts how many prompts are kept
   */
  MemoryEstimate(
      FluxBundle bundle,
      ArithmeticChoice arithmetic,
      Device device,
      boolean adapted,
      int cachedPrompts)
      throws IOException {
    this.bundle = bundle;
    this.arithmetic = arithmetic;
    this.gpu = device.isGpu();
    this.streams = !adapted;
    this.cachedPrompts = cachedPrompts;
    this.clip = size(FluxNetwork.TEXT_ENCODER, bundle.file(FluxNetwork.TEXT_ENCODER), false);
    this.t5 =
        size(
            FluxNetwork.TEXT_ENCODER_2,
            bundle.file(FluxNetwork.TEXT_ENCODER_2),
            isInt8(FluxNetwork.TEXT_ENCODER_2));
    this.transformer =
        size(
            FluxNetwork.TRANSFORMER,
            bundle.file(FluxNetwork.TRANSFORMER),
            isInt8(FluxNetwork.TRANSFORMER));
    this.modulation =
        bundle.modulation().isPresent()
            ? size(FluxNetwork.TRANSFORMER, bundle.modulation().get(), false)
            : 0;
    long decoder = size(FluxNetwork.VAE_DECODER, bundle.file(FluxNetwork.VAE_DECODER), false);
    this.vae =
        bundle.vaeEncoder().isPresent()
            ? decoder + size(FluxNetwork.VAE_DECODER, bundle.vaeEncoder().get(), false)
            : decoder;
  }

  private long size(FluxNetwork network, Path file, boolean mostlyInt8) throws IOException {
    long stored = Files.size(file);
    boolean doubles =
        arithmetic.converts(network) && !mostlyInt8 && bundle.dtype(network) != DType.F32;
    return doubles ? 2 * stored : stored;
  }

  private boolean isInt8(FluxNetwork network) {
    return bundle.dtype(network) == DType.I8;
  }

  /** Bytes of a number in the arithmetic of a network. */
  private int width(FluxNetwork network) {
    boolean wide = arithmetic.converts(network) || bundle.dtype(network) == DType.F32;
    return wide ? Float.BYTES : Short.BYTES;
  }

  /** Whether a network can leave its weights in host memory: adapters need them at hand. */
  boolean streams() {
    return streams;
  }

  /** Whether the device is a GPU. */
  boolean isGpu() {
    return gpu;
  }

  /**
   * What is on the device at the worst moment of a run, with tiles of a size.
   *
   * @param policy any but {@link MemoryPolicy#AUTO}
   */
  long bytes(MemoryPolicy policy, Size size, int tilePx) {
    boolean streamed = policy == MemoryPolicy.STREAMED && streams;
    long text = textWork(size, streamed);
    long work = Math.max(work(size, streamed), decode(size, tilePx));
    boolean clipStreams = streamed && !arithmetic.converts(FluxNetwork.TEXT_ENCODER);
    long encoders = (clipStreams ? 0 : clip) + (streamed ? 0 : t5);
    long rows = streamed ? largestModulation() : modulation;
    long blocks = streamed ? 0 : transformer;
    long networks =
        policy == MemoryPolicy.RESIDENT
            ? encoders + rows + blocks + Math.max(text, work)
            : Math.max(Math.max(encoders + text, rows), blocks + work);
    return vae + networks + prompts(size) + (gpu ? CONTEXT : PROCESS + heap(size, 1));
  }

  /** What pictures take of Java's heap when the last of them is made. */
  static long heap(Size size, int count) {
    return (HEAP_BYTES_PER_PIXEL + (count - 1L) * KEPT_BYTES_PER_PIXEL) * size.pixels();
  }

  /** The prompts at hand and those that are kept: embeddings, and rows of the modulation. */
  private long prompts(Size size) {
    FluxArchitecture a = bundle.transformer();
    long embeddings = (cachedPrompts + 2L) * size.textTokens() * a.textWidth();
    long levels = size.levels() + (cachedPrompts == 0 ? 0 : Modulation.MAX_LEVELS);
    long rows = bundle.modulation().isPresent() ? levels * a.modulationRows() * a.hiddenSize() : 0;
    return Float.BYTES * (embeddings + rows);
  }

  /**
   * The transformer's activations. Where its block joins attention and feed-forward, a token has
   * its own row, the fused product of queries, keys, values and feed-forward, attention and
   * activated feed-forward, and both of them joined; where a matrix must be brought or widened for
   * the fused product, it has its row, its normalised row, and that product twice.
   */
  private long work(Size size, boolean streamed) {
    FluxArchitecture a = bundle.transformer();
    int width = width(FluxNetwork.TRANSFORMER);
    long fused = 3L * a.hiddenSize() + a.mlpWidth();
    long joining = 3L * a.hiddenSize() + fused + 2L * a.mlpWidth();
    long row = size.tokens() * width;
    if (!arrives(FluxNetwork.TRANSFORMER, streamed)) {
      return row * joining;
    }
    long matrix = width * fused * a.hiddenSize();
    return Math.max(row * joining, row * (2L * a.hiddenSize() + 2 * fused) + matrix);
  }

  /** T5's: the bias of its attention twice, and per token a gate, a product and both of them. */
  private long textWork(Size size, boolean streamed) {
    T5Architecture a = bundle.textEncoder2();
    int width = width(FluxNetwork.TEXT_ENCODER_2);
    long length = size.textTokens();
    long matrix =
        arrives(FluxNetwork.TEXT_ENCODER_2, streamed)
            ? (long) width * a.feedForwardWidth() * a.width()
            : 0;
    return width * length * (2 * length * a.heads() + 2L * a.width() + 3L * a.feedForwardWidth())
        + matrix;
  }

  /** Whether matrices are made for the moment in which they are used. */
  private boolean arrives(FluxNetwork network, boolean streamed) {
    boolean widened = arithmetic.converts(network) && bundle.dtype(network) != DType.F32;
    return isInt8(network) || (streamed && (gpu || widened));
  }

  private long largestModulation() {
    long hidden = bundle.transformer().hiddenSize();
    return width(FluxNetwork.TRANSFORMER) * 6L * hidden * hidden;
  }

  /** The decoder's tensors of its finest level over one tile, float32, and the picture. */
  private long decode(Size size, int tilePx) {
    long tile = (long) Math.min(size.widthPx, tilePx) * Math.min(size.heightPx, tilePx);
    long channels = bundle.vaeDecoder().blockChannels().get(0);
    return DECODER_TENSORS * Float.BYTES * tile * channels + DEVICE_BYTES_PER_PIXEL * size.pixels();
  }
}
