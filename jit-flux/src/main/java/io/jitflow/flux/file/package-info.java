/**
 * What every reader of foreign files shares: the type of its errors; and how the files of a bundle
 * are compared with its manifest.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.file;

import org.jspecify.annotations.NullMarked;
