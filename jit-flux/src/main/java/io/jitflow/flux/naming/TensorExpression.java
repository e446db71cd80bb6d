package io.jitflow.flux.naming;

import java.util.List;

/** How a tensor of one of our programs is made from tensors of a checkpoint. */
public sealed interface TensorExpression {

  /**
   * Returns the tensors that are read, in the order in which they are written.
   *
   * @return names in the checkpoint
   */
  List<String> inputs();

  /**
   * The same of tensors whose names stand behind a prefix.
   *
   * @param prefix the prefix
   * @return the expression
   */
  TensorExpression behind(String prefix);

  /**
   * The tensor as it is.
   *
   * @param name name in the checkpoint
   */
  record Same(String name) implements TensorExpression {
    @Override
    public List<String> inputs() {
      return List.of(name);
    }

    @Override
    public TensorExpression behind(String prefix) {
      return new Same(prefix + name);
    }
  }

  /**
   * The rows of several tensors, one tensor below the other.
   *
   * @param inputs names in the checkpoint
   */
  record Rows(List<String> inputs) implements TensorExpression {
    /**
     * Makes the list immutable.
     *
     * @param inputs names in the checkpoint
     */
    public Rows {
      inputs = List.copyOf(inputs);
    }

    @Override
    public TensorExpression behind(String prefix) {
      return new Rows(inputs.stream().map(name -> prefix + name).toList());
    }
  }

  /**
   * The second half of the rows first, then the first half.
   *
   * @param name name in the checkpoint
   */
  record HalvesSwapped(String name) implements TensorExpression {
    @Override
    public List<String> inputs() {
      return List.of(name);
    }

    @Override
    public TensorExpression behind(String prefix) {
      return new HalvesSwapped(prefix + name);
    }
  }
}
