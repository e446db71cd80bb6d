package io.jitflow.flux.tokenizer;

import static io.jitflow.flux.tokenizer.TokenizerFolder.DEFINITION;

import io.jitflow.core.check.Checks;
import java.io.IOException;
import java.nio.file.Path;

/**
 * T5's SentencePiece tokenizer: normalised text to ids of a Unigram vocabulary and an end token.
 *
 * <p>FLUX.1-dev reads 512 ids, FLUX.1-schnell 256. A text with more is cut so that the end token
 * still fits; one with fewer is filled up with the padding token. Special tokens written in the
 * text, such as {@code </s>}, count as the tokens they name.
 *
 * <p>Safe for use by several threads. Holds native memory until {@link #close()}.
 */
public final class T5Tokenizer implements AutoCloseable {

  /** The number of ids that FLUX.1-dev reads. */
  public static final int DEFAULT_LENGTH = 512;

  private final NativeTokenizer tokenizer;
  private final long end;
  private final long padding;
  private final int length;

  private T5Tokenizer(NativeTokenizer tokenizer, long end, long padding, int length) {
    this.tokenizer = tokenizer;
    this.end = end;
    this.padding = padding;
    this.length = length;
  }

  /**
   * Loads from {@code tokenizer.json}. The length is {@code model_max_length} of {@code
   * tokenizer_config.json}, or else {@value #DEFAULT_LENGTH}.
   *
   * @param folder a tokenizer folder
   * @return the tokenizer; close it after use
   * @throws IOException if files are missing or no T5 tokenizer
   */
  public static T5Tokenizer load(Path folder) throws IOException {
    return load(folder, TokenizerFolder.open(folder).maxLength().orElse(DEFAULT_LENGTH));
  }

  /**
   * Loads as {@link #load(Path)} does, with a given length.
   *
   * @param length how many ids {@link #ids(String)} returns, at least 1
   * @return the tokenizer; close it after use
   * @throws IOException if files are missing or no T5 tokenizer
   */
  public static T5Tokenizer load(Path folder, int length) throws IOException {
    requireRoom(length);
    TokenizerFolder files = TokenizerFolder.open(folder);
    if (!files.has(DEFINITION)) {
      throw files.missing(DEFINITION + ", which every FLUX.1 model brings in tokenizer_2");
    }
    NativeTokenizer tokenizer = NativeTokenizer.of(files.text(DEFINITION), folder);
    long[] empty = tokenizer.encode("");
    long[] padding = tokenizer.encodeBare("<pad>");
    if (empty.length != 1 || padding.length != 1) {
      tokenizer.close();
      throw new TokenizerException(
          "%s: a T5 tokenizer adds one end token and knows <pad>; this one adds %d and spells <pad> with %d tokens"
              .formatted(folder, empty.length, padding.length),
          null);
    }
    return new T5Tokenizer(tokenizer, empty[0], padding[0], length);
  }

  /** {@return how many ids {@link #ids(String)} returns} */
  public int length() {
    return length;
  }

  /**
   * Token ids of a prompt as the text encoder takes them.
   *
   * @param text any text, also empty
   * @return {@link #length()} ids: text, end, padding
   */
  public long[] ids(String text) {
    return ids(text, length);
  }

  /**
   * Token ids of a prompt at another length than this tokenizer's own.
   *
   * @param wantedLength how many ids to return, at least 1
   * @return that many ids: text, end, padding
   */
  public long[] ids(String text, int wantedLength) {
    requireRoom(wantedLength);
    return tokenizer.encode(text, wantedLength, end, padding);
  }

  /**
   * Token ids of a prompt, neither cut nor padded: where there are more than the length, {@link
   * #ids(String)} drops some.
   *
   * @return text, end
   */
  public long[] wholeIds(String text) {
    return tokenizer.encode(text);
  }

  /** Frees the native tokenizer; waits for calls in progress. A second call does nothing. */
  @Override
  public void close() {
    tokenizer.close();
  }

  private static void requireRoom(int length) {
    Checks.argument(
        length >= 1, "length must leave room for the end token, so at least 1, got %d", length);
  }
}
