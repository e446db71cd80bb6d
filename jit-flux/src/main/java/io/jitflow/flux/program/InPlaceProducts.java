package io.jitflow.flux.program;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * Gives the root of a program the method {@code add_product}, which adds the product of two factors
 * to rows of one of its matrices, in float32. So adapters change a network that is loaded already.
 */
final class InPlaceProducts {
  private InPlaceProducts() {}

  /**
   * The code with the method.
   *
   * @param code a program whose last class is the root's
   * @param root the root's class
   * @param matrices from the names of the matrices to where they are in the tree
   */
  static String addTo(String code, String root, Map<String, String> matrices) {
    String entries =
        matrices.entrySet().stream()
            .map(entry -> "\"%s\": %s".formatted(entry.getKey(), expression(entry.getValue())))
            .collect(Collectors.joining(", "));
    return code.stripTrailing()
        + "\n\n"
        + """
          # up @ down, float32 [rows, rank] and [rank, columns], is added from a row of a matrix on.
          def add_product(self: %s, tensor: str, row: int, up: Tensor, down: Tensor) -> NoneType:
            matrices = {%s}
            rows = torch.slice(matrices[tensor], 0, row, row + torch.size(up, 0))
            _0 = torch.copy_(rows, torch.addmm(torch.to(rows, 6), up, down))
            return None
        """
            .formatted(root, entries);
  }

  /** A path such as {@code blocks.0.lin.weight} as TorchScript reads it. */
  private static String expression(String path) {
    String expression = "self";
    for (String step : path.split("\\.", -1)) {
      expression =
          Character.isDigit(step.charAt(0))
              ? "(getattr(%s, \"%s\"))".formatted(expression, step)
              : expression + "." + step;
    }
    return expression;
  }
}
