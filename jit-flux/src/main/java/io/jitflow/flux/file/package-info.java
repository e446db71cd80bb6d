/**
 * What every reader of foreign files shares: the type of its errors, and how they quote.
 *
 * @since 0.1
 */
package io.jitflow.flux.file;
