/**
 * Noise levels of the steps: decreasing sigmas from at most 1 to 0.
 *
 * <p>Limits: sigma is always in [0, 1], never scaled by 1000.
 */
package io.jitflow.core.schedule;
