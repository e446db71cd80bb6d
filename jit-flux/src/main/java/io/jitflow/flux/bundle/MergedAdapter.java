package io.jitflow.flux.bundle;

import java.util.Objects;
import java.util.Optional;

/**
 * An adapter that was added to the weights.
 *
 * @param name file name without folder
 * @param scale how strongly it counts
 * @param bytes size of the file
 * @param sha256 SHA-256 of the whole file, 64 lower-case hexadecimal digits; empty if it was not
 *     computed
 */
public record MergedAdapter(String name, double scale, long bytes, Optional<String> sha256) {

  /**
   * Checks the values.
   *
   * @param name file name without folder
   * @param scale how strongly it counts
   * @param bytes size of the file
   * @param sha256 SHA-256 of the whole file, 64 lower-case hexadecimal digits; empty if it was not
   *     computed
   * @throws IllegalArgumentException if the hash is not 64 lower-case hexadecimal digits
   */
  public MergedAdapter {
    Objects.requireNonNull(name, "name");
    if (sha256.isPresent() && !sha256.get().matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException(
          "sha256 must be 64 lower-case hexadecimal digits, got " + sha256.get());
    }
  }

  /**
   * Names the adapter as pictures record it.
   *
   * @return name, scale and, if known, hash
   */
  public String description() {
    return name + ":" + scale + sha256.map(hash -> " sha256:" + hash).orElse("");
  }
}
