package io.jitflow.flux.tokenizer;

import static io.jitflow.flux.tokenizer.TokenizerFolder.DEFINITION;

import io.jitflow.core.check.Checks;
import java.io.IOException;
import java.nio.file.Path;

/**
 * CLIP's byte-level BPE tokenizer: lower-cased text to ids between a start and an end token.
 *
 * <p>FLUX.1 reads at most 77 ids: start, 75 of the text, end. What is longer is cut after the 75th;
 * what is shorter is filled up with the end token. Special tokens written in the text, such as
 * {@code <|endoftext|>}, count as the tokens they name.
 *
 * <p>Safe for use by several threads. Holds native memory until {@link #close()}.
 */
public final class ClipTokenizer implements AutoCloseable {

  /** The number of ids that CLIP's position table has room for. */
  public static final int DEFAULT_LENGTH = 77;

  private final NativeTokenizer tokenizer;
  private final long end;
  private final int length;

  private ClipTokenizer(NativeTokenizer tokenizer, long end, int length) {
    this.tokenizer = tokenizer;
    this.end = end;
    this.length = length;
  }

  /**
   * Loads from {@code tokenizer.json}, or else from {@code vocab.json} and {@code merges.txt}. The
   * length is {@code model_max_length} of {@code tokenizer_config.json}, or else {@value
   * #DEFAULT_LENGTH}.
   *
   * @param folder a tokenizer folder
   * @return the tokenizer; close it after use
   * @throws IOException if files are missing or no CLIP tokenizer
   */
  public static ClipTokenizer load(Path folder) throws IOException {
    return load(folder, TokenizerFolder.open(folder).maxLength().orElse(DEFAULT_LENGTH));
  }

  /**
   * Loads as {@link #load(Path)} does, with a given length.
   *
   * @param length how many ids {@link #ids} returns, at least 2
   * @return the tokenizer; close it after use
   * @throws IOException if files are missing or no CLIP tokenizer
   */
  public static ClipTokenizer load(Path folder, int length) throws IOException {
    Checks.argument(
        length >= 2,
        "length must leave room for the start and end tokens, so at least 2, got %d",
        length);
    TokenizerFolder files = TokenizerFolder.open(folder);
    String definition;
    if (files.has(DEFINITION)) {
      definition = files.text(DEFINITION);
    } else if (files.has(ClipDefinition.VOCABULARY) && files.has(ClipDefinition.MERGES)) {
      definition = ClipDefinition.read(files);
    } else {
      throw files.missing(
          DEFINITION + ", or " + ClipDefinition.VOCABULARY + " with " + ClipDefinition.MERGES);
    }
    NativeTokenizer tokenizer = NativeTokenizer.of(definition, folder);
    long[] empty = tokenizer.encode("");
    if (empty.length != 2) {
      tokenizer.close();
      throw new TokenizerException(
          "%s: a CLIP tokenizer encloses the text in a start and an end token, this one adds %d"
              .formatted(folder, empty.length),
          null);
    }
    return new ClipTokenizer(tokenizer, empty[1], length);
  }

  /** {@return how many ids {@link #ids} returns} */
  public int length() {
    return length;
  }

  /**
   * Token ids of a prompt as the text encoder takes them.
   *
   * @param text any text, also empty
   * @return {@link #length()} ids: start, text, end, and end again as padding
   */
  public long[] ids(String text) {
    return tokenizer.encode(text, length, end, end);
  }

  /**
   * Token ids of a prompt, neither cut nor padded: where there are more than {@link #length()},
   * {@link #ids} drops some.
   *
   * @return start, text, end
   */
  public long[] wholeIds(String text) {
    return tokenizer.encode(text);
  }

  /** Frees the native tokenizer; waits for calls in progress. A second call does nothing. */
  @Override
  public void close() {
    tokenizer.close();
  }
}
