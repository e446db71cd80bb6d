/**
 * Checks of arguments, for this library's own modules.
 *
 * @since 0.1
 */
@NullMarked
package io.jitflow.core.check;

import org.jspecify.annotations.NullMarked;
