package io.jitflow.flux.convert;

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
  void progress(ConversionProgress progress);
}
