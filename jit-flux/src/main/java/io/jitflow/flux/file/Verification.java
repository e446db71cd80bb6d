package io.jitflow.flux.file;

/** How the files of a bundle are compared with what its manifest recorded of them. */
public enum Verification {
  /** Size and CRC-32C of every file, about as fast as the disk reads. */
  FAST,
  /** The same and SHA-256, where the conversion recorded it. */
  FULL,
  /** Not at all: for files that were verified already. */
  NONE
}
