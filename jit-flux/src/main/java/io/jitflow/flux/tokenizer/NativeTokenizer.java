package io.jitflow.flux.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A tokenizer of the native library, made from the text of a {@code tokenizer.json}.
 *
 * <p>The native tokenizer is immutable, so any number of threads may encode at once; only freeing
 * it must wait for them, which is what the lock is for. Text reaches native code repaired: an
 * unpaired surrogate, which no UTF-8 can express, becomes U+FFFD.
 */
final class NativeTokenizer implements AutoCloseable {

  /** No truncation and no padding: both are done by the callers, in the open. */
  private static final Map<String, String> WHOLE_TEXT =
      Map.of("truncation", "false", "padding", "false");

  private final HuggingFaceTokenizer tokenizer;
  private final Path source;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private boolean closed;

  private NativeTokenizer(HuggingFaceTokenizer tokenizer, Path source) {
    this.tokenizer = tokenizer;
    this.source = source;
  }

  /**
   * Makes the tokenizer.
   *
   * @param json the text of a {@code tokenizer.json}
   * @param source the file or folder it came from, for messages
   */
  static NativeTokenizer of(String json, Path source) throws IOException {
    Optional<String> problem = NativeLimits.problem(json);
    if (problem.isPresent()) {
      throw new TokenizerException(
          "%s: no usable tokenizer definition: %s; download the folder again"
              .formatted(source, problem.get()),
          null);
    }
    try {
      byte[] utf8 = json.getBytes(StandardCharsets.UTF_8);
      return new NativeTokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(utf8), WHOLE_TEXT), source);
    } catch (RuntimeException e) {
      // the native library reports every fault of the text as a RuntimeException
      throw new TokenizerException(
          source + ": no usable tokenizer definition (" + e.getMessage() + ")", e);
    }
  }

  /** Ids of the whole text with the special tokens that the definition adds around it. */
  long[] encode(String text) {
    return ids(text, Extras.ADDED);
  }

  /**
   * Ids of the text as {@link #encode(String)} gives them, of a fixed length: cut so that the end
   * token still fits, or filled up.
   */
  long[] encode(String text, int length, long end, long padding) {
    long[] whole = encode(text);
    long[] ids = Arrays.copyOf(whole, length);
    if (whole.length < length) {
      Arrays.fill(ids, whole.length, length, padding);
    } else {
      ids[length - 1] = end;
    }
    return ids;
  }

  /** Ids of the text alone. */
  long[] encodeBare(String text) {
    return ids(text, Extras.NONE);
  }

  private long[] ids(String text, Extras extras) {
    String repaired = withoutUnpairedSurrogates(text);
    lock.readLock().lock();
    try {
      if (closed) {
        throw new IllegalStateException("the tokenizer of " + source + " is closed");
      }
      return tokenizer.encode(repaired, extras == Extras.ADDED, false).getIds();
    } finally {
      lock.readLock().unlock();
    }
  }

  static String withoutUnpairedSurrogates(String text) {
    StringBuilder repaired = null;
    for (int i = 0; i < text.length(); ) {
      int codePoint = text.codePointAt(i);
      if (Character.MIN_SURROGATE <= codePoint && codePoint <= Character.MAX_SURROGATE) {
        if (repaired == null) {
          repaired = new StringBuilder(text);
        }
        repaired.setCharAt(i, '\uFFFD');
      }
      i += Character.charCount(codePoint);
    }
    return repaired == null ? text : repaired.toString();
  }

  @Override
  public void close() {
    lock.writeLock().lock();
    try {
      closed = true;
      tokenizer.close();
    } finally {
      lock.writeLock().unlock();
    }
  }

  private enum Extras {
    ADDED,
    NONE
  }
}
