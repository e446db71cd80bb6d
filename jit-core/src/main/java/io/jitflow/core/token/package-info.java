/**
 * Where tokens sit: the grid, subsets of it, nearest anchors. Plain Java, immutable, no NDArray.
 *
 * <p>Limits: one frame; indices are {@code int}, so a grid has at most 2<sup>31</sup> - 1 tokens.
 */
package io.jitflow.core.token;
