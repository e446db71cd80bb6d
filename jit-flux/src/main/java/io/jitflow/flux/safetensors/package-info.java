/**
 * Reading safetensors checkpoints: memory-mapped, never copied to the heap, and checked completely
 * before the first byte of a tensor is handed out.
 *
 * <p>A file is treated as hostile input. Every rule of the format (huggingface/safetensors, {@code
 * safetensors/src/tensor.rs}) has an error of its own that names the file and the tensor, says what
 * was expected and found, and what to do.
 *
 * <p>{@link io.jitflow.flux.safetensors.FloatConversion} converts elements from type to type.
 *
 * <p>Limits: the element types of {@link io.jitflow.flux.weights.DType}, F8_E4M3 and F8_E5M2 among
 * them; other 8-bit and smaller floating-point types, complex and unsigned types wider than a byte
 * are recognised and refused. A header has at most 100 MB, a tensor at most 64 dimensions. Files
 * must not be changed while they are open: shortening a mapped file makes later reads fail with an
 * {@link java.lang.InternalError} or an {@link java.io.IOException}. Nothing here writes
 * safetensors files.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.safetensors;

import org.jspecify.annotations.NullMarked;
