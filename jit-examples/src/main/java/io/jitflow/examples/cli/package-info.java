/**
 * The command line: one small class per command that parses, calls the library and shows what came
 * back.
 */
package io.jitflow.examples.cli;
