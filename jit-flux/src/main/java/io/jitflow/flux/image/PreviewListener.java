package io.jitflow.flux.image;

import io.jitflow.core.SamplingListener;
import io.jitflow.core.SamplingStep;
import java.awt.image.BufferedImage;

/**
 * Sees pictures while they are being drawn: after every step a small one, a pixel for every 8 x 8
 * px, of what the result would be if the network were right already. It is a linear projection of
 * the latents' channels to colours, which costs less than a millisecond; shapes and colours are
 * right, details are not.
 *
 * <p>The projection is fitted to the model's autoencoder when the first preview of a pipeline is
 * wanted, for which the bundle needs the encoder.
 *
 * <p>A lambda will do. It may be wrapped in other listeners or joined to them ({@link
 * SamplingListener#andThen}) as long as they name their {@link SamplingListener#delegates}.
 */
public interface PreviewListener extends SamplingListener {

  /**
   * Called before {@link #onStep} of the same step, on the sampling thread.
   *
   * @param step which step, from 0
   * @param preview {@code width / 8} x {@code height / 8} px of the image that is being drawn, half
   *     of that in the first of two passes; the listener's
   */
  void onPreview(int step, BufferedImage preview);

  @Override
  default void onStep(SamplingStep step) {
    // whoever wants pictures need not want more
  }

  @Override
  default boolean wantsEstimate(int step) {
    return true;
  }
}
