/**
 * Typed wrappers that run the four networks of FLUX.1, and their sizes.
 *
 * <p>The wrappers accept any TorchScript module with the signature of the programs of {@code
 * io.jitflow.flux.program}. Tensors are FLOAT32 or INT64 at every boundary whatever the type of the
 * weights.
 *
 * <p>Limits: inference only; nothing here computes gradients.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.network;

import org.jspecify.annotations.NullMarked;
