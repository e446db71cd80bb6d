package io.jitflow.flux.convert;

import io.jitflow.flux.bundle.FluxNetwork;

/**
 * How far a conversion is.
 *
 * @param step what is being done
 * @param network for which network
 * @param item the file that is hashed, or the tensor that is written
 * @param bytesDone bytes hashed and written so far, over all networks
 * @param bytesTotal bytes to hash and write in all
 */
public record ConversionProgress(
    Step step, FluxNetwork network, String item, long bytesDone, long bytesTotal) {

  /** What a conversion is doing. */
  public enum Step {
    /** Hashing a file of the checkpoint. */
    CHECKSUM,
    /** Writing a tensor into the bundle. */
    WRITE
  }
}
