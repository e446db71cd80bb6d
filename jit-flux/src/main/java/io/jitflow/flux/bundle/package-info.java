/**
 * The folder that a conversion writes and a pipeline loads: a manifest, and what it says of the
 * networks, tokenizers and noise levels beside it.
 *
 * <p>Limits: describes and checks the folder; loads no network.
 */
package io.jitflow.flux.bundle;
