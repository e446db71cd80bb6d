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
    String layout, Function<String, TensorExpression> source, Predicate<String> skipped) {}
