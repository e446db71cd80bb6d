/**
 * The command line, and two short programs to read.
 *
 * <p>{@link io.jitflow.examples.cli.Main} runs the commands {@code convert}, {@code generate},
 * {@code compare} and {@code inspect}, and those that measure: {@code bench}, {@code study}, {@code
 * scenes}, {@code probe} and {@code sheet}; each is one small class that parses, calls the library
 * and shows what came back. {@link io.jitflow.examples.TextToImage} and {@link
 * io.jitflow.examples.SamplerOnYourOwnModel} show the two ways to use the library from code.
 *
 * <p>Limits: programs, not a library; nothing here is meant to be called from other code.
 */
package io.jitflow.examples;
