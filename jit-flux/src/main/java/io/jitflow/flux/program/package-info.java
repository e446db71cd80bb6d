/**
 * The networks of FLUX.1 as TorchScript programs.
 *
 * <p>The programs are the {@code .py} resources beside this package; {@link
 * io.jitflow.flux.program.NetworkProgram} joins one with the sizes of a checkpoint and its weights.
 *
 * <p>Limits: writes programs; {@code io.jitflow.flux.network} runs them.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.program;

import org.jspecify.annotations.NullMarked;
