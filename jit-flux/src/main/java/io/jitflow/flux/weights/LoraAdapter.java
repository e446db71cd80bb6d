package io.jitflow.flux.weights;

import io.jitflow.core.check.Checks;
import java.nio.file.Path;
import java.util.Objects;

/**
 * An adapter file and how strongly it counts.
 *
 * @param file a safetensors file
 * @param scale factor of its change: 1 as trained, 0 none, negative the opposite
 */
public record LoraAdapter(Path file, double scale) {

  /**
   * Checks the scale.
   *
   * @param file a path
   * @param scale finite
   * @throws IllegalArgumentException if the scale is not finite
   */
  public LoraAdapter {
    Objects.requireNonNull(file, "file");
    Checks.argument(
        Double.isFinite(scale),
        "the scale of adapter %s must be a finite number, got %s",
        file,
        scale);
  }

  /**
   * An adapter as it was trained.
   *
   * @param file a safetensors file
   * @return the adapter with scale 1
   */
  public static LoraAdapter of(Path file) {
    return new LoraAdapter(file, 1);
  }

  /**
   * With another scale.
   *
   * @param value factor of its change
   * @return the changed copy
   */
  public LoraAdapter withScale(double value) {
    return new LoraAdapter(file, value);
  }
}
