/**
 * FLUX.1 as an image model of Spring AI, with its auto-configuration.
 *
 * <pre>{@code
 * spring.ai.jit.image.bundle=/models/dev-bundle
 * spring.ai.jit.image.options.preset=second_order_7x
 * }</pre>
 *
 * <p>Limits: images come as base64 data, never as a URL; weights of messages only tell what is
 * wanted (above zero) from what is not (below zero).
 *
 * @since 0.1
 */
package io.jitflow.spring;
