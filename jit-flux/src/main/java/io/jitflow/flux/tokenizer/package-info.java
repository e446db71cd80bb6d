/**
 * Prompt text to token ids for FLUX.1's two text encoders.
 *
 * <p>{@link io.jitflow.flux.tokenizer.ClipTokenizer} and {@link
 * io.jitflow.flux.tokenizer.T5Tokenizer} load from a tokenizer folder of a checkpoint or bundle,
 * from whichever files it holds, and return ids that are truncated and padded as FLUX.1 does. Both
 * are safe for use by several threads and hold native memory until they are closed.
 *
 * <p>Limits: the text is encoded by the native library of {@code ai.djl.huggingface:tokenizers},
 * which has builds for Linux, Windows and macOS on the processors listed by DJL. On a machine with
 * a CUDA device that library prefers a CUDA build of itself and downloads it, unless {@code
 * ai.djl.offline} is {@code true} or the property {@code RUST_FLAVOR} is {@code cpu}; tokenizing
 * gains nothing from it. Token weighting syntax such as {@code (word:1.2)} is plain text here.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.tokenizer;

import org.jspecify.annotations.NullMarked;
