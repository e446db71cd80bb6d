package io.jitflow.flux.weights;

/** The four networks of FLUX.1. */
public enum FluxNetwork {
  /** The velocity network. */
  TRANSFORMER("transformer", "transformer.pt"),
  /** The CLIP text encoder, which gives the pooled embedding. */
  TEXT_ENCODER("text_encoder", "text_encoder.pt"),
  /** The T5 encoder, which gives one embedding per text token. */
  TEXT_ENCODER_2("text_encoder_2", "text_encoder_2.pt"),
  /** The decoder of the autoencoder. */
  VAE_DECODER("vae_decoder", "vae_decoder.pt");

  private final String key;
  private final String fileName;

  FluxNetwork(String key, String fileName) {
    this.key = key;
    this.fileName = fileName;
  }

  /**
   * Returns the name of this network in manifests and messages.
   *
   * @return the name, such as {@code text_encoder_2}
   */
  public String key() {
    return key;
  }

  /**
   * Returns the name of this network's file in a bundle.
   *
   * @return the name, such as {@code transformer.pt}
   */
  public String fileName() {
    return fileName;
  }
}
