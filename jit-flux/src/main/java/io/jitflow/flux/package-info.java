/** The Just-in-Time pipeline for FLUX.1. */
package io.jitflow.flux;
