/**
 * The four networks of FLUX.1 as TorchScript programs, and typed wrappers that run them.
 *
 * <p>The programs are the {@code .py} resources beside this package; {@link
 * io.jitflow.flux.network.NetworkProgram} joins one with the sizes of a checkpoint and its weights.
 * The wrappers accept any TorchScript module with the same signature. Tensors are FLOAT32 or INT64
 * at every boundary whatever the type of the weights. Inference only: nothing here computes
 * gradients.
 */
package io.jitflow.flux.network;
