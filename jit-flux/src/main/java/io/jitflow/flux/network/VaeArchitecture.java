package io.jitflow.flux.network;

import io.jitflow.core.check.Checks;
import java.util.List;

/**
 * The sizes of the decoder of a FLUX.1 autoencoder.
 *
 * @param latentChannels channels of a latent pixel (16)
 * @param blockChannels channels of each level, finest level first (128, 256, 512, 512); each level
 *     but the last halves the resolution
 * @param layersPerBlock residual blocks per encoder level (2); the decoder has one more
 * @param normGroups groups of the group norms (32)
 * @param scalingFactor factor from the autoencoder's latents to the sampler's (0.3611)
 * @param shiftFactor what is subtracted before scaling (0.1159)
 * @param usePostQuantConv whether a 1x1 convolution stands before the decoder (false)
 */
public record VaeArchitecture(
    int latentChannels,
    List<Integer> blockChannels,
    int layersPerBlock,
    int normGroups,
    double scalingFactor,
    double shiftFactor,
    boolean usePostQuantConv)
    implements Architecture {

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive, or the groups do not divide the
   *     channels of every level
   */
  public VaeArchitecture {
    blockChannels = List.copyOf(blockChannels);
    Sizes.requirePositive("latentChannels", latentChannels);
    Sizes.requirePositive("blockChannels.size", blockChannels.size());
    Sizes.requirePositive("layersPerBlock", layersPerBlock);
    Sizes.requirePositive("normGroups", normGroups);
    for (int channels : blockChannels) {
      Sizes.requirePositive("blockChannels", channels);
      Checks.argument(
          channels % normGroups == 0,
          "blockChannels must be multiples of normGroups %d, got %s",
          normGroups,
          blockChannels);
    }
    Checks.argument(
        scalingFactor > 0 && Double.isFinite(scalingFactor) && Double.isFinite(shiftFactor),
        "scalingFactor must be positive and both factors finite, got %s and %s",
        scalingFactor,
        shiftFactor);
  }

  /**
   * How many image pixels one latent pixel covers in each direction.
   *
   * @return 2 to the number of levels less one (8)
   */
  public int scale() {
    return 1 << (blockChannels.size() - 1);
  }
}
