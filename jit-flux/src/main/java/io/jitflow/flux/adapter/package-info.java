/**
 * Adapters (LoRA): small files that change the weights of a model, {@code W + scale * alpha / rank
 * * up * down}.
 *
 * <p>{@link io.jitflow.flux.weights.LoraAdapter} names a file and how strongly it counts; {@link
 * io.jitflow.flux.adapter.OpenAdapters} finds the matrices that its tensors change, whichever of
 * the names in use they have, and adds the changes: row by row to weights that are being converted,
 * or as products for weights that are loaded already.
 *
 * <p>Limits: LoRA with two factors, for the transformer and the text encoders. Differences of
 * biases and norms, DoRA, LoHa and LoKr are refused: every tensor of a file is used, or an error
 * names it.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.adapter;

import org.jspecify.annotations.NullMarked;
