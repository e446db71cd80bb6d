/**
 * What goes into and comes out of the pipeline: requests, results, the PNG files that carry them.
 *
 * <p>Limits: sizes are multiples of 16 px; nothing here touches a network or a device.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.image;

import org.jspecify.annotations.NullMarked;
