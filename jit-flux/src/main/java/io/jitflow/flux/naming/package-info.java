/**
 * How checkpoints name tensors: from the names of our programs, which are those of the original
 * release, to the names of a file.
 *
 * <p>Limits: names only; no file is opened here.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.naming;

import org.jspecify.annotations.NullMarked;
