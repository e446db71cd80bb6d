package io.jitflow.flux.convert;

import io.jitflow.core.check.Checks;
import io.jitflow.flux.adapter.OpenAdapters;
import io.jitflow.flux.naming.NameRules;
import io.jitflow.flux.naming.TensorExpression;
import io.jitflow.flux.safetensors.FloatConversion;
import io.jitflow.flux.safetensors.TensorFiles;
import io.jitflow.flux.safetensors.TensorInfo;
import io.jitflow.flux.torchscript.TensorSource;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * From which tensors of a checkpoint each tensor of one of our programs is made. Computed from
 * headers alone, and complete: every tensor of the program has a source of the right shape, and
 * every tensor of the checkpoint is used or knowingly skipped.
 */
final class TensorMapping {
  private static final int MAX_LISTED = 20;

  private final TensorFiles files;
  private final String layout;
  private final Map<String, long[]> shapes;
  private final Map<String, TensorExpression> expressions;
  private final Set<String> skipped;
  private final Optional<Merge> merge;

  /** Adapters that change this network's tensors. */
  private record Merge(FluxNetwork network, OpenAdapters adapters) {}

  private TensorMapping(
      TensorFiles files,
      String layout,
      Map<String, long[]> shapes,
      Map<String, TensorExpression> expressions,
      Set<String> skipped,
      Optional<Merge> merge) {
    this.files = files;
    this.layout = layout;
    this.shapes = shapes;
    this.expressions = Collections.unmodifiableMap(expressions);
    this.skipped = Collections.unmodifiableSet(skipped);
    this.merge = merge;
  }

  /** The same tensors with adapters added to them. */
  TensorMapping with(FluxNetwork network, OpenAdapters adapters) {
    return new TensorMapping(
        files, layout, shapes, expressions, skipped, Optional.of(new Merge(network, adapters)));
  }

  /**
   * Finds a source for every tensor.
   *
   * @param shapes the program's tensors
   * @throws CheckpointException listing all tensors that are missing, left over, or of a wrong
   *     shape or type
   * @throws IOException if the description of a format cannot be read
   */
  static TensorMapping of(
      FluxNetwork network, TensorFiles files, NameRules rules, Map<String, long[]> shapes)
      throws IOException {
    Map<String, TensorInfo> tensors = files.tensors();
    Map<String, TensorExpression> expressions = new LinkedHashMap<>();
    Set<String> leftOver = new LinkedHashSet<>(tensors.keySet());
    List<String> missing = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    shapes.forEach(
        (name, shape) -> {
          TensorExpression expression = rules.source().apply(name);
          expressions.put(name, expression);
          List<String> absent =
              expression.inputs().stream().filter(input -> !tensors.containsKey(input)).toList();
          absent.forEach(input -> missing.add(TensorInfo.quote(input)));
          if (absent.isEmpty()) {
            wrong.addAll(problems(tensors, expression, shape));
          }
          expression.inputs().forEach(leftOver::remove);
        });
    for (TensorExpression expression : expressions.values()) {
      for (String input : expression.inputs()) {
        TensorInfo info = tensors.get(input);
        if (info != null) {
          WeightScale.companions(files, info).forEach(leftOver::remove);
        }
      }
    }
    leftOver.removeIf(WeightScale::isMark);
    Set<String> skipped = new LinkedHashSet<>(leftOver);
    skipped.removeIf(rules.skipped().negate());
    leftOver.removeAll(skipped);
    if (missing.isEmpty() && leftOver.isEmpty() && wrong.isEmpty()) {
      return new TensorMapping(
          files, rules.layout(), shapes, expressions, skipped, Optional.empty());
    }
    throw new CheckpointException(
        files.source()
            + ": the tensors are not those of this "
            + network.key()
            + " ("
            + rules.layout()
            + " layout, "
            + shapes.size()
            + " tensors expected, "
            + tensors.size()
            + " found)"
            + listed("missing", missing)
            + listed("left over", leftOver.stream().map(TensorInfo::quote).toList())
            + listed("wrong", wrong)
            + "\ncheck that file and configuration belong to the same FLUX.1 model, and download"
            + " them again");
  }

  private static String listed(String what, List<String> items) {
    if (items.isEmpty()) {
      return "";
    }
    String more = items.size() > MAX_LISTED ? ", and " + (items.size() - MAX_LISTED) + " more" : "";
    return "\n"
        + what
        + " ("
        + items.size()
        + "): "
        + String.join(", ", items.subList(0, Math.min(items.size(), MAX_LISTED)))
        + more;
  }

  private static List<String> problems(
      Map<String, TensorInfo> tensors, TensorExpression expression, long[] shape) {
    List<TensorInfo> inputs = expression.inputs().stream().map(tensors::get).toList();
    List<String> problems = new ArrayList<>();
    for (TensorInfo input : inputs) {
      if (FloatConversion.isByte(input.dtype())) {
        WeightScale.problem(tensors, input).ifPresent(problems::add);
      } else if (!FloatConversion.supports(input.dtype())) {
        problems.add(
            TensorInfo.quote(input.name())
                + " expected BF16, F16, F32, or 8-bit weights in F8_E4M3, F8_E5M2 or I8, found "
                + input.dtype());
      }
    }
    long[] found = shape(expression, inputs);
    if (!sameShape(found, shape)) {
      List<String> parts =
          inputs.stream().map(i -> TensorInfo.quote(i.name()) + " " + i.shape()).toList();
      problems.add(
          String.join(" + ", parts)
              + " expected "
              + Arrays.toString(shape)
              + (parts.size() > 1 ? " in all" : ""));
    }
    return problems;
  }

  /** The shape that an expression yields; empty if its inputs do not fit together. */
  private static long[] shape(TensorExpression expression, List<TensorInfo> inputs) {
    List<Long> first = inputs.get(0).shape();
    long[] shape = first.stream().mapToLong(Long::longValue).toArray();
    if (expression instanceof TensorExpression.Same) {
      return shape;
    }
    if (shape.length == 0
        || (expression instanceof TensorExpression.HalvesSwapped && shape[0] % 2 != 0)) {
      return new long[0];
    }
    for (TensorInfo input : inputs.subList(1, inputs.size())) {
      List<Long> other = input.shape();
      if (other.size() != first.size()
          || !other.subList(1, other.size()).equals(first.subList(1, first.size()))) {
        return new long[0];
      }
      shape[0] += other.get(0);
    }
    return shape;
  }

  /** A 1x1 convolution may be stored as a matrix. */
  private static boolean sameShape(long[] found, long[] expected) {
    if (Arrays.equals(found, expected)) {
      return true;
    }
    return expected.length == 4
        && expected[2] == 1
        && expected[3] == 1
        && Arrays.equals(found, Arrays.copyOf(expected, 2));
  }

  /**
   * Returns which layout the checkpoint has.
   *
   * @return for example {@code original}, {@code diffusers} or {@code transformers}
   */
  public String layout() {
    return layout;
  }

  /**
   * Returns what every tensor of the program is made of.
   *
   * @return unmodifiable, by the program's names, in the program's order
   */
  public Map<String, TensorExpression> expressions() {
    return expressions;
  }

  /**
   * Returns the tensors of the checkpoint that are knowingly not used, such as the VAE's encoder.
   *
   * @return unmodifiable, names in the checkpoint
   */
  public Set<String> skipped() {
    return skipped;
  }

  /**
   * Opens one tensor of the program for streaming, with the changes of adapters if there are any.
   *
   * @param name the program's name for it
   * @param dtype the type to deliver: BF16, F16 or F32
   * @return the tensor; valid while the checkpoint's files are open, which no plan outlives
   * @throws IllegalArgumentException if the program has no such tensor, or the type is another
   * @throws IOException if the checkpoint cannot be read
   */
  TensorSource source(String name, DType dtype) throws IOException {
    TensorExpression expression = expressions.get(name);
    if (expression == null) {
      throw new IllegalArgumentException(
          "expected one of " + shapes.size() + " tensors of the program, got " + name);
    }
    Checks.argument(FloatConversion.supports(dtype), "expected BF16, F16 or F32, got %s", dtype);
    long[] shape = Objects.requireNonNull(shapes.get(name));
    if (merge.isPresent()) {
      FluxNetwork network = merge.get().network();
      OpenAdapters adapters = merge.get().adapters();
      if (adapters.changed(network).contains(name)) {
        return new MergedTensor(
            name,
            MappedTensor.of(files, expression, DType.F32, shape),
            () -> adapters.changes(network, name),
            dtype);
      }
    }
    return MappedTensor.of(files, expression, dtype, shape);
  }
}
