/**
 * Landscapes drawn by a program, without end: data for a small model that has to invent, and the
 * measure of what it invents.
 *
 * <p>A {@link io.jitflow.examples.scenes.Scene} is a seed and a value for each {@link
 * io.jitflow.examples.scenes.Attribute}; a {@link io.jitflow.examples.scenes.SceneRenderer} draws
 * it at any size, and a {@link io.jitflow.examples.scenes.Caption} names some of the attributes in
 * plain words. Everything is deterministic: the same seed gives the same picture on every machine
 * up to the rounding of {@link java.lang.Math}.
 *
 * <p>Limits: flat layers, not geometry; reflections are those of the layers above the horizon.
 */
package io.jitflow.examples.scenes;
