package io.jitflow.flux.bundle;

import io.jitflow.core.check.Checks;
import io.jitflow.flux.weights.FluxNetwork;
import java.util.Objects;
import java.util.Optional;

/**
 * A checkpoint file from which a bundle was made.
 *
 * @param network what the file was used for
 * @param name file name without folder
 * @param bytes size of the file
 * @param sha256 SHA-256 of the whole file, 64 lower-case hexadecimal digits; empty if it was not
 *     computed
 */
public record SourceFile(FluxNetwork network, String name, long bytes, Optional<String> sha256) {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if the hash is not 64 lower-case hexadecimal digits
   */
  public SourceFile {
    Objects.requireNonNull(network, "network");
    Objects.requireNonNull(name, "name");
    sha256.ifPresent(SourceFile::requireSha256);
  }

  static void requireSha256(String sha256) {
    Checks.argument(
        sha256.matches("[0-9a-f]{64}"),
        "sha256 must be 64 lower-case hexadecimal digits, got %s",
        sha256);
  }
}
