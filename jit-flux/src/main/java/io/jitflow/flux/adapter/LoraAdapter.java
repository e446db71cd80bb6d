package io.jitflow.flux.adapter;

import io.jitflow.flux.bundle.MergedAdapter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
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
   * @param file a safetensors file
   * @param scale factor of its change: 1 as trained, 0 none, negative the opposite
   * @throws IllegalArgumentException if the scale is not finite
   */
  public LoraAdapter {
    Objects.requireNonNull(file, "file");
    if (!Double.isFinite(scale)) {
      throw new IllegalArgumentException(
          "the scale of adapter " + file + " must be a finite number, got " + scale);
    }
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

  /**
   * Reads the whole file and tells what a manifest or a picture records of it.
   *
   * @return name, scale, size and hash
   * @throws IOException if the file cannot be read
   */
  public MergedAdapter description() throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
    long bytes = 0;
    try (InputStream in = Files.newInputStream(file)) {
      byte[] buffer = new byte[1 << 16];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        digest.update(buffer, 0, count);
        bytes += count;
      }
    }
    return new MergedAdapter(
        file.getFileName().toString(), scale, bytes, HexFormat.of().formatHex(digest.digest()));
  }
}
