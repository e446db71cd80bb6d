package io.jitflow.flux.naming;

import java.util.function.Function;
import java.util.function.Predicate;

/**
 * How one checkpoint layout names the tensors of one network.
 *
 * @param layout name of the layout, for messages
 * @param source from a tensor of our program to what it is made of
 * @param skipped tensors of the checkpoint that are knowingly not used
 */
public record NameRules(
    String layout, Function<String, TensorExpression> source, Predicate<String> skipped) {

  /**
   * The same names behind a prefix.
   *
   * @param prefix of every tensor of the checkpoint; may be empty
   * @return the rules
   */
  public NameRules behind(String prefix) {
    return prefix.isEmpty()
        ? this
        : new NameRules(
            layout + ", behind the prefix " + prefix,
            tensor -> source.apply(tensor).behind(prefix),
            name -> name.startsWith(prefix) && skipped.test(name.substring(prefix.length())));
  }
}
