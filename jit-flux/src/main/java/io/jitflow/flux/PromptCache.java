package io.jitflow.flux;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Embeddings of the prompts used last, which it owns. Not thread-safe. */
final class PromptCache implements AutoCloseable {
  private final int capacity;
  private final Map<Key, PromptEmbedding> embeddings = new LinkedHashMap<>(16, 0.75f, true);

  /** What decides an embedding, beside the networks. */
  record Key(String prompt, int textTokens) {}

  PromptCache(int capacity) {
    this.capacity = capacity;
  }

  /** The embedding, or null; still owned by the cache. */
  @Nullable PromptEmbedding get(Key key) {
    return embeddings.get(key);
  }

  void put(Key key, PromptEmbedding embedding) {
    PromptEmbedding replaced = embeddings.put(key, embedding);
    if (replaced != null) {
      replaced.close();
    }
  }

  /** Frees the embeddings used least recently, down to the capacity. */
  void trim() {
    var oldest = embeddings.values().iterator();
    while (embeddings.size() > capacity) {
      oldest.next().close();
      oldest.remove();
    }
  }

  @Override
  public void close() {
    embeddings.values().forEach(PromptEmbedding::close);
    embeddings.clear();
  }
}
