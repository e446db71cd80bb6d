package io.jitflow.flux;

import ai.djl.Device;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.FluxArchitecture;
import java.util.Locale;

/**
 * About how much memory one image takes beside the networks: an estimate that tells an image that
 * fits from one that never will.
 *
 * <p>The transformer's largest block holds, per token, its input, the fused product of queries,
 * keys, values and feed-forward, the activated copy that is joined to the attention, and queries
 * and keys in float32; the decoder holds six tensors of its finest level over one tile; the image
 * exists as a tensor, as floats and as pixels.
 *
 * @param nativeBytes outside of Java's heap
 * @param heapBytes in Java's heap
 * @param image its size, for messages
 */
record ImageMemory(double nativeBytes, double heapBytes, String image) {
  private static final double GB = 1e9;
  private static final int FLOAT = 4;
  private static final int DECODER_TENSORS = 6;
  private static final int LATENT_COPIES = 8;
  private static final int USUAL_TEXT_TOKENS = 512;

  static ImageMemory of(FluxBundle bundle, FluxOptions options, ImageRequest request) {
    FluxArchitecture a = bundle.transformer();
    double pixels = (double) request.widthPx() * request.heightPx();
    double tokens =
        request.grid().tokens() + (double) request.textTokens().orElse(USUAL_TEXT_TOKENS);
    double hidden = a.hiddenSize();
    double mlp = a.mlpWidth();
    // on a CPU the arithmetic may be float32 whatever the weights are
    double perToken = FLOAT * (2 * hidden + 3 * hidden + 3 * mlp + hidden) + 3 * FLOAT * 2 * hidden;
    double tile =
        Math.min(request.widthPx(), options.decodeTilePx())
            * (double) Math.min(request.heightPx(), options.decodeTilePx());
    double decoder = DECODER_TENSORS * FLOAT * tile * bundle.vaeDecoder().blockChannels().get(0);
    double latents = LATENT_COPIES * FLOAT * tokens * a.inChannels();
    double image = 3 * FLOAT * pixels;
    return new ImageMemory(
        Math.max(perToken * tokens, decoder + image) + latents,
        image + 2 * Integer.BYTES * pixels,
        "%d x %d px".formatted(request.widthPx(), request.heightPx()));
  }

  /**
   * Refuses what cannot fit. The memory of GPUs is left to the engine, which tells better.
   *
   * @throws IllegalArgumentException if the machine or the heap is smaller
   */
  void requireRoom(Device device) {
    requireRoom(
        device.isGpu() ? Long.MAX_VALUE : ArithmeticChoice.machineMemory(),
        Runtime.getRuntime().maxMemory());
  }

  void requireRoom(long machineBytes, long heapLimit) {
    if (nativeBytes + heapBytes > machineBytes) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "an image of %s takes about %.1f GB of memory beside the networks, this machine has %.1f GB; make it smaller",
              image,
              (nativeBytes + heapBytes) / GB,
              machineBytes / GB));
    }
    if (heapBytes > heapLimit) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "an image of %s takes %.1f GB of Java's heap, which may grow to %.1f GB; start with java -Xmx%.0fg, or make it smaller",
              image,
              heapBytes / GB,
              heapLimit / GB,
              Math.ceil(2 * heapBytes / (1 << 30))));
    }
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s: about %.1f GB of memory beside the networks",
        image,
        (nativeBytes + heapBytes) / GB);
  }
}
