package io.jitflow.flux.convert;

import io.jitflow.flux.weights.FluxNetwork;

/**
 * Follows a conversion. Called on the converting thread after every few hundred kilobytes, so it
 * should be quick. An exception that it throws ends the conversion, which leaves nothing behind.
 */
@FunctionalInterface
public interface ConversionListener {
  /** Ignores all progress. */
  ConversionListener NONE = progress -> {};

  /**
   * Called as bytes are hashed and written.
   *
   * @param progress how far the conversion is
   */
  void progress(Progress progress);

  /**
   * How far a conversion is.
   *
   * @param step what is being done
   * @param network for which network
   * @param item the file that is hashed, or the tensor that is written
   * @param bytesDone bytes hashed and written so far, over all networks
   * @param bytesTotal bytes to hash and write in all
   */
  public record Progress(
      Step step, FluxNetwork network, String item, long bytesDone, long bytesTotal) {

    /** What a conversion is doing. */
    public enum Step {
      /** Hashing a file of the checkpoint. */
      CHECKSUM,
      /** Writing a tensor into the bundle. */
      WRITE
    }
  }
}
