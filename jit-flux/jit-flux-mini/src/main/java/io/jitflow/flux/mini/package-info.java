/**
 * A small trained model in a jar, so that the tests of an application draw a picture without a
 * download.
 *
 * <p>Limits: it draws the emoji it was trained on, by their names, at 256 and 512 px, and nothing
 * else.
 *
 * @since 0.1
 */
package io.jitflow.flux.mini;
