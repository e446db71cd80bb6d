/**
 * The Just-in-Time method: the sampler, its settings, and behind them stages, anchors, importance,
 * lifter and micro-flow.
 *
 * <p>Source: Sun, Li, Liu, "Just-in-Time: Training-Free Spatial Acceleration for Diffusion
 * Transformers", arXiv 2603.10744. {@code docs/method.md} maps its symbols to the names used here.
 *
 * <p>Limits: FLOAT32 only; every sample of a batch has the same number of anchors.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.core.jit;

import org.jspecify.annotations.NullMarked;
