/** The Just-in-Time sampler for any flow-matching transformer. */
package io.jitflow.core;
