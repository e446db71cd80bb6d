package io.jitflow.flux.bundle;

import java.util.Objects;

/**
 * An adapter that was added to the weights.
 *
 * @param name file name without folder
 * @param scale how strongly it counts
 * @param bytes size of the file
 * @param sha256 SHA-256 of the whole file, 64 lower-case hexadecimal digits
 */
public record MergedAdapter(String name, double scale, long bytes, String sha256) {

  /**
   * Checks the values.
   *
   * @param name file name without folder
   * @param scale how strongly it counts
   * @param bytes size of the file
   * @param sha256 SHA-256 of the whole file, 64 lower-case hexadecimal digits
   * @throws IllegalArgumentException if the hash is not 64 lower-case hexadecimal digits
   */
  public MergedAdapter {
    Objects.requireNonNull(name, "name");
    if (!sha256.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException(
          "sha256 must be 64 lower-case hexadecimal digits, got " + sha256);
    }
  }

  /**
   * Names the adapter as pictures record it.
   *
   * @return name, scale and hash
   */
  public String description() {
    return name + ":" + scale + " sha256:" + sha256;
  }
}
