package io.jitflow.flux.network;

import io.jitflow.core.check.Checks;
import java.util.List;

/**
 * The sizes of a FLUX.1 transformer.
 *
 * @param inChannels channels of an image token, in and out (64)
 * @param hiddenSize width of the token stream (3072)
 * @param heads attention heads; {@code hiddenSize / heads} is the width of one
 * @param mlpWidth inner width of the blocks' feed-forward parts (12288)
 * @param ropeAxes channels of a head that rotate with each of the three position axes; their sum is
 *     the width of a head (16, 56, 56)
 * @param doubleBlocks blocks with separate text and image weights (19)
 * @param singleBlocks blocks over the joint sequence (38)
 * @param textWidth width of the T5 embeddings (4096)
 * @param pooledWidth width of the pooled CLIP embedding (768)
 * @param guidanceEmbedding whether the network takes the guidance scale as an input: true for dev,
 *     false for schnell
 * @param theta base of the rotary frequencies (10000)
 */
public record FluxArchitecture(
    int inChannels,
    int hiddenSize,
    int heads,
    int mlpWidth,
    List<Integer> ropeAxes,
    int doubleBlocks,
    int singleBlocks,
    int textWidth,
    int pooledWidth,
    boolean guidanceEmbedding,
    double theta)
    implements Architecture {

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive, the heads do not divide the hidden
   *     size, or the axes are not three even numbers that add up to the width of a head
   */
  public FluxArchitecture {
    ropeAxes = List.copyOf(ropeAxes);
    Sizes.requirePositive("inChannels", inChannels);
    Sizes.requirePositive("hiddenSize", hiddenSize);
    Sizes.requirePositive("heads", heads);
    Sizes.requirePositive("mlpWidth", mlpWidth);
    Sizes.requirePositive("doubleBlocks", doubleBlocks);
    Sizes.requirePositive("singleBlocks", singleBlocks);
    Sizes.requirePositive("textWidth", textWidth);
    Sizes.requirePositive("pooledWidth", pooledWidth);
    Checks.argument(
        hiddenSize % heads == 0,
        "hiddenSize must be a multiple of heads, got %d and %d",
        hiddenSize,
        heads);
    int sum = ropeAxes.stream().mapToInt(Integer::intValue).sum();
    boolean even = ropeAxes.stream().allMatch(axis -> axis > 0 && axis % 2 == 0);
    Checks.argument(
        ropeAxes.size() == 3 && even && sum == hiddenSize / heads,
        "ropeAxes must be three positive even numbers that add up to the head width %d, got %s",
        hiddenSize / heads,
        ropeAxes);
    Checks.argument(theta > 1, "theta must be greater than 1, got %s", theta);
  }

  /**
   * The width of one attention head.
   *
   * @return {@code hiddenSize / heads}
   */
  public int headWidth() {
    return hiddenSize / heads;
  }

  /**
   * The number of rows of {@code hiddenSize} numbers that modulate the blocks and the last layer.
   *
   * @return 12 for each double block, 3 for each single block, 2 for the last layer: 344 for FLUX.1
   */
  public int modulationRows() {
    return 12 * doubleBlocks + 3 * singleBlocks + 2;
  }

  /**
   * Floating-point operations of one forward pass over one sample, two per multiply-add: the
   * blocks' linear layers and attention, which are all but a thousandth of the work. Modulation,
   * embeddings and the final layer are left out.
   *
   * @param imageTokens image tokens evaluated
   * @param textTokens text tokens
   * @return the count, 7.44e13 for FLUX.1 at 4,096 and 512 tokens
   */
  public double forwardFlops(int imageTokens, int textTokens) {
    double tokens = (double) imageTokens + textTokens;
    // of either kind of block: q, k, v and the projection are 4 h^2, the MLP is 2 h mlpWidth
    double linear = 2 * hiddenSize * (4.0 * hiddenSize + 2.0 * mlpWidth) * tokens;
    double attention = 4 * tokens * tokens * hiddenSize;
    return (doubleBlocks + singleBlocks) * (linear + attention);
  }
}
