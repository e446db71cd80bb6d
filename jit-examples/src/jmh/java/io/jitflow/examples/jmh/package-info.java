/** Micro-benchmarks of single parts; see {@code docs/CONTRIBUTING.md} for how to run them. */
package io.jitflow.examples.jmh;
