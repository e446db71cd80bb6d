package io.jitflow.flux.program;

/**
 * How the matrices of a network are stored; embeddings, norms and the layers around the blocks are
 * floating-point numbers in either.
 */
enum WeightFormat {
  /** As floating-point numbers. */
  FLOATING("Linear", "Projection"),
  /** As 8-bit integers with a scale for each row. */
  INT8("Int8Linear", "Int8Projection");

  private final String linear;
  private final String projection;

  WeightFormat(String linear, String projection) {
    this.linear = linear;
    this.projection = projection;
  }

  /** The class of a linear layer with bias. */
  String linear() {
    return linear;
  }

  /** The class of a linear layer without bias. */
  String projection() {
    return projection;
  }

  /** Adds the tensors of a linear layer with bias. */
  void linear(TensorShapes shapes, String name, long out, long in) {
    projection(shapes, name, out, in);
    shapes.tensor(name + ".bias", out);
  }

  /** Adds the tensors of a linear layer without bias. */
  void projection(TensorShapes shapes, String name, long out, long in) {
    if (this == INT8) {
      shapes.int8(name, out, in);
    } else {
      shapes.tensor(name + ".weight", out, in);
    }
  }
}
