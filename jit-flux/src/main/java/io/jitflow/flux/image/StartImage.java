package io.jitflow.flux.image;

import java.util.Objects;

/**
 * The picture that a request starts from.
 *
 * @param image the picture
 * @param strength how much of it is drawn anew, 0 to 1: the share of the steps that are taken, as
 *     diffusers counts it. 0 gives the picture back, 1 starts from noise
 */
public record StartImage(SourceImage image, double strength) {

  /**
   * Checks the strength.
   *
   * @param image the picture
   * @param strength how much of it is drawn anew, 0 to 1
   * @throws IllegalArgumentException if the strength is out of range
   */
  public StartImage {
    Objects.requireNonNull(image, "image");
    if (!(strength >= 0 && strength <= 1)) {
      throw new IllegalArgumentException("strength must be from 0 to 1, got " + strength);
    }
  }
}
