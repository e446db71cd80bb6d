/** Measuring: the cost of a sampler, the quality of pictures, and how both are shown. */
package io.jitflow.examples.bench;
