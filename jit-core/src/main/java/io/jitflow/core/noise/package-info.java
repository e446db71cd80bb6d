/**
 * Gaussian noise equal to that of PyTorch's CPU generator, without its global state.
 *
 * <p>Limits: standard normal numbers only; the last digits depend on the vector instructions that
 * PyTorch itself uses.
 */
package io.jitflow.core.noise;
