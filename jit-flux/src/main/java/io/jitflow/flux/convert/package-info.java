/**
 * From a downloaded FLUX.1 checkpoint to a bundle that a pipeline loads.
 *
 * <p>{@link io.jitflow.flux.convert.FluxCheckpoint} says where the parts lie, {@link
 * io.jitflow.flux.convert.FluxConverter} does the work. Both published layouts are understood, part
 * by part, and told apart by the names of the tensors: diffusers folders and the original single
 * files. All sizes come from the configurations and the tensors' shapes. A {@link
 * io.jitflow.flux.convert.TensorMapping} is computed from the headers before anything is written:
 * it is complete, or an error lists what is missing, left over or of the wrong shape. LoRA adapters
 * are merged on the way ({@code io.jitflow.flux.adapter}).
 *
 * <p>Limits: floating-point weights of 32, 16 and 8 bits and INT8 with a scale for each row, in
 * safetensors files; no GGUF, no Fill, Depth, Canny or Redux variants. The text encoders come as
 * folders with their {@code config.json}.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.convert;

import org.jspecify.annotations.NullMarked;
