/**
 * Writes TorchScript archives without PyTorch: a stored ZIP of code, a pickled module tree and
 * tensor data.
 *
 * <p>Nothing here knows a network. A tensor is a {@link io.jitflow.flux.torchscript.TensorSource},
 * whose bytes are asked for when they are written. Code is taken as text in TorchScript's
 * serialised dialect and is not checked; libtorch reports errors when it loads the archive.
 * Attributes are tensors, 64-bit integers, doubles, booleans, strings and child modules; lists,
 * dictionaries and optional values are not supported. Tensors are contiguous and do not share
 * storage.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.flux.torchscript;

import org.jspecify.annotations.NullMarked;
