/**
 * Where tokens sit: the grid, subsets of it. Plain Java, immutable, no NDArray.
 *
 * <p>Limits: one frame; a grid has at most 32,768 rows and columns.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.core.token;

import org.jspecify.annotations.NullMarked;
