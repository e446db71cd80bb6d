package io.jitflow.flux.network;

import io.jitflow.core.check.Checks;

/**
 * The sizes of a CLIP text encoder.
 *
 * @param vocabulary rows of the token embedding (49408)
 * @param width width of the token stream (768)
 * @param mlpWidth inner width of the feed-forward parts (3072)
 * @param layers transformer layers (12)
 * @param heads attention heads (12)
 * @param positions longest sequence (77)
 * @param eosTokenId the configuration's {@code eos_token_id}: 2 takes the pooled embedding at the
 *     largest id of the sequence, any other value at the first position that holds it
 * @param activation {@code quick_gelu} or {@code gelu}
 * @param layerNormEps epsilon of the layer norms (1e-5)
 */
public record ClipArchitecture(
    int vocabulary,
    int width,
    int mlpWidth,
    int layers,
    int heads,
    int positions,
    int eosTokenId,
    String activation,
    double layerNormEps)
    implements Architecture {

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is not positive, the heads do not divide the width,
   *     or the activation is unknown
   */
  public ClipArchitecture {
    Sizes.requirePositive("vocabulary", vocabulary);
    Sizes.requirePositive("width", width);
    Sizes.requirePositive("mlpWidth", mlpWidth);
    Sizes.requirePositive("layers", layers);
    Sizes.requirePositive("heads", heads);
    Sizes.requirePositive("positions", positions);
    Checks.argument(
        width % heads == 0, "width must be a multiple of heads, got %d and %d", width, heads);
    Checks.argument(
        activation.equals("quick_gelu") || activation.equals("gelu"),
        "activation must be quick_gelu or gelu, got %s",
        activation);
  }
}
