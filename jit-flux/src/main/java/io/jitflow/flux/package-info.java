/**
 * Text to image with FLUX.1: a request in, images out, the sampler as one argument.
 *
 * <p>An {@link io.jitflow.flux.image.ImageRequest} says what to draw; {@link
 * io.jitflow.flux.image.GeneratedImages} holds the images, the request with every default filled in
 * and the timings, and saves PNG files that carry their request.
 *
 * <p>Limits: sizes are multiples of 16 px.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux;

import org.jspecify.annotations.NullMarked;
