/**
 * What conversions and pipelines are told of weights: their type, the network that they belong to,
 * the adapters that change them.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.weights;

import org.jspecify.annotations.NullMarked;
