/**
 * The Just-in-Time (JiT) sampler for any flow-matching transformer, over DJL NDArrays.
 *
 * <p>A caller brings a {@link io.jitflow.core.VelocityModel} and a {@link
 * io.jitflow.core.SamplingRequest} (noise and the grid its tokens sit on); a {@link
 * io.jitflow.core.Sampler} gives back the clean latents. {@link io.jitflow.core.EulerSampler} is
 * the standard sampler, {@link io.jitflow.core.jit.JitSampler} the accelerated one.
 *
 * <p>Limits: latents are FLOAT32 tokens {@code [batch, tokens, channels]}; nothing is trained; the
 * model must accept any subset of the tokens.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.core;

import org.jspecify.annotations.NullMarked;
