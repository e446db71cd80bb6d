/**
 * What a weight is, whatever file it comes from or goes to: its type, its shape, its bytes.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.weights;

import org.jspecify.annotations.NullMarked;
