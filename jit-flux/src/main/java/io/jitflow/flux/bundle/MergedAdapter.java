package io.jitflow.flux.bundle;

import io.jitflow.flux.weights.LoraAdapter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
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
   * @throws IllegalArgumentException if the hash is not 64 lower-case hexadecimal digits
   */
  public MergedAdapter {
    Objects.requireNonNull(name, "name");
    SourceFile.requireSha256(sha256);
  }

  /**
   * Names the adapter as pictures record it.
   *
   * @return name, scale and hash
   */
  public String description() {
    return name + ":" + scale + " sha256:" + sha256;
  }

  /**
   * Reads the whole file of an adapter.
   *
   * @param adapter the adapter
   * @return name, scale, size and hash
   * @throws IOException if the file cannot be read
   */
  public static MergedAdapter of(LoraAdapter adapter) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
    long bytes = 0;
    try (InputStream in = Files.newInputStream(adapter.file())) {
      byte[] buffer = new byte[1 << 16];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
        bytes += count;
      }
    }
    return new MergedAdapter(
        adapter.file().getFileName().toString(),
        adapter.scale(),
        bytes,
        HexFormat.of().formatHex(digest.digest()));
  }
}
