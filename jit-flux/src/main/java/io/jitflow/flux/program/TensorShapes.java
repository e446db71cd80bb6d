package io.jitflow.flux.program;

import java.util.LinkedHashMap;
import java.util.Map;

/** Collects the names and shapes of a program's tensors layer by layer. */
final class TensorShapes {
  private final Map<String, long[]> shapes = new LinkedHashMap<>();
  private final Map<String, String> scales = new LinkedHashMap<>();

  TensorShapes tensor(String name, long... shape) {
    shapes.put(name, shape);
    return this;
  }

  /** A matrix of 8-bit integers and the scales of its rows. */
  TensorShapes int8(String name, long out, long in) {
    scales.put(name + ".scale", name + ".weight");
    return tensor(name + ".weight", out, in).tensor(name + ".scale", out);
  }

  /** A linear layer with bias. */
  TensorShapes linear(String name, long out, long in) {
    return tensor(name + ".weight", out, in).tensor(name + ".bias", out);
  }

  /** A normalisation with weight and bias. */
  TensorShapes norm(String name, long channels) {
    return tensor(name + ".weight", channels).tensor(name + ".bias", channels);
  }

  /** A square convolution with bias. */
  TensorShapes conv(String name, long out, long in, long kernel) {
    return tensor(name + ".weight", out, in, kernel, kernel).tensor(name + ".bias", out);
  }

  Map<String, long[]> map() {
    return shapes;
  }

  /** The matrices of 8-bit integers by the names of their scales. */
  Map<String, String> scales() {
    return scales;
  }
}
