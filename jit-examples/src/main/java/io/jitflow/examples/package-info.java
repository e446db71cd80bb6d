/** The Just-in-Time command line. */
package io.jitflow.examples;
