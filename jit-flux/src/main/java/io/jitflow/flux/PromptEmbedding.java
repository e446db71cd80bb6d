package io.jitflow.flux;

import ai.djl.ndarray.NDArray;

/**
 * What the transformer reads of one prompt. Owns its arrays.
 *
 * @param tokens T5's hidden states, FLOAT32 {@code [1, L, textWidth]}
 * @param pooled CLIP's pooled embedding, FLOAT32 {@code [1, pooledWidth]}
 */
record PromptEmbedding(NDArray tokens, NDArray pooled) implements AutoCloseable {

  /** What decides an embedding, beside the networks. */
  record Key(String prompt, int textTokens) {}

  @Override
  public void close() {
    tokens.close();
    pooled.close();
  }
}
