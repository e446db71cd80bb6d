package io.jitflow.flux.program;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * Gives the root of a program the method {@code add_product}, which adds the product of two factors
 * to rows of one of its matrices, in float32. So adapters change a network that is loaded already.
 * Rows of 8-bit integers get a new scale.
 */
final class InPlaceProducts {
  private static final String HEAD =
      """
        # up @ down, float32 [rows, rank] and [rank, columns], is added from a row of a matrix on.
        def add_product(self: %s, tensor: str, row: int, up: Tensor, down: Tensor) -> NoneType:
          matrices = {%s}
          end = row + torch.size(up, 0)
          rows = torch.slice(matrices[tensor], 0, row, end)
          up = torch.to(up, rows.device)
          down = torch.to(down, rows.device)
      """;
  private static final String FLOATS =
      """
          _0 = torch.copy_(rows, torch.addmm(torch.to(rows, 6), up, down))
      """;
  private static final String INTEGERS =
      """
          scales = {%s}
          if torch.__contains__(scales, tensor):
            scale = torch.slice(scales[tensor], 0, row, end)
            values = torch.mul(torch.to(rows, 6), torch.unsqueeze(torch.to(scale, 6), 1))
            sum = torch.addmm(values, up, down)
            largest = torch.div(torch.amax(torch.abs(sum), [1]), 127.)
            _0 = torch.copy_(scale, largest)
            step = torch.unsqueeze(torch.clamp_min(torch.to(scale, 6), 9.9999999999999999e-31), 1)
            _1 = torch.copy_(rows, torch.clamp(torch.round(torch.div(sum, step)), -127, 127))
          else:
            _2 = torch.copy_(rows, torch.addmm(torch.to(rows, 6), up, down))
      """;

  private InPlaceProducts() {}

  /**
   * The code with the method.
   *
   * @param code a program whose last class is the root's
   * @param root the root's class
   * @param matrices from the names of the matrices to where they are in the tree
   * @param scales the same for the row scales of those that are 8-bit integers
   */
  static String addTo(
      String code, String root, Map<String, String> matrices, Map<String, String> scales) {
    return code.stripTrailing()
        + "\n\n"
        + HEAD.formatted(root, entries(matrices))
        + (scales.isEmpty() ? FLOATS : INTEGERS.formatted(entries(scales)))
        + "    return None\n";
  }

  private static String entries(Map<String, String> paths) {
    return paths.entrySet().stream()
        .map(entry -> "\"%s\": %s".formatted(entry.getKey(), expression(entry.getValue())))
        .collect(Collectors.joining(", "));
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
