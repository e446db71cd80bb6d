/**
 * The folder that a conversion writes and a pipeline loads: a manifest, and what it says of the
 * networks, tokenizers and noise levels beside it.
 *
 * <p>Limits: describes and checks the folder; loads no network.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.bundle;

import org.jspecify.annotations.NullMarked;
