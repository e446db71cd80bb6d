package io.jitflow.flux.torchscript;

import io.jitflow.core.check.Checks;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * One node of a TorchScript module tree: the name of its class and its attributes in the order of
 * their declaration in the class.
 *
 * <p>The attributes must be exactly those that the class declares in the archive's code; libtorch
 * fills the slots of the class by name when it loads the archive. Immutable.
 */
public final class ScriptModule {
  private final String className;
  private final Map<String, Object> attributes;

  private ScriptModule(String className, Map<String, Object> attributes) {
    this.className = className;
    this.attributes = attributes;
  }

  /**
   * Starts a module.
   *
   * @param className qualified name of the class, for example {@code __torch__.flux.Linear}
   * @return a builder without attributes
   * @throws IllegalArgumentException if the name is not of the form {@code __torch__.file.Class}
   */
  public static Builder builder(String className) {
    Checks.argument(
        className.matches("__torch__(\\.[A-Za-z_][A-Za-z0-9_]*)+"),
        "class name must look like __torch__.file.Class, got %s",
        className);
    return new Builder(className);
  }

  /**
   * The class.
   *
   * @return the qualified class name
   */
  public String className() {
    return className;
  }

  /**
   * The attributes in declaration order.
   *
   * @return an unmodifiable map whose values are {@link TensorSource}, {@link Long}, {@link
   *     Double}, {@link Boolean}, {@link String} or {@link ScriptModule}
   */
  public Map<String, Object> attributes() {
    return attributes;
  }

  /**
   * The same tree with other tensors.
   *
   * @param change what stands in for a tensor; called for the tensors of a module in the order of
   *     its attributes, and for those of a child where the child stands
   * @return the changed copy
   */
  public ScriptModule withTensors(UnaryOperator<TensorSource> change) {
    Map<String, Object> changed = new LinkedHashMap<>(attributes);
    changed.replaceAll(
        (name, value) -> {
          if (value instanceof TensorSource tensor) {
            return change.apply(tensor);
          }
          return value instanceof ScriptModule child ? child.withTensors(change) : value;
        });
    return new ScriptModule(className, Collections.unmodifiableMap(changed));
  }

  /**
   * Collects the attributes of one module. Each method takes the attribute's name, which no other
   * has, and its value. Not safe for use by several threads.
   */
  public static final class Builder {
    private final String className;
    private final Map<String, Object> attributes = new LinkedHashMap<>();

    private Builder(String className) {
      this.className = className;
    }

    /**
     * Adds a tensor, parameter or buffer.
     *
     * @return this
     * @throws IllegalArgumentException if the name is taken
     */
    public Builder tensor(String name, TensorSource value) {
      return put(name, value);
    }

    /**
     * Adds an {@code int} attribute.
     *
     * @return this
     * @throws IllegalArgumentException if the name is taken
     */
    public Builder integer(String name, long value) {
      return put(name, value);
    }

    /**
     * Adds a {@code float} attribute (TorchScript's {@code float} is a double).
     *
     * @return this
     * @throws IllegalArgumentException if the name is taken
     */
    public Builder number(String name, double value) {
      return put(name, value);
    }

    /**
     * Adds a {@code bool} attribute.
     *
     * @return this
     * @throws IllegalArgumentException if the name is taken
     */
    public Builder flag(String name, boolean value) {
      return put(name, value);
    }

    /**
     * Adds a {@code str} attribute.
     *
     * @return this
     * @throws IllegalArgumentException if the name is taken
     */
    public Builder text(String name, String value) {
      return put(name, value);
    }

    /**
     * Adds a child module.
     *
     * @param name attribute name; a number for the members of a list
     * @param value the child
     * @return this
     * @throws IllegalArgumentException if the name is taken
     */
    public Builder child(String name, ScriptModule value) {
      return put(name, value);
    }

    /**
     * Finishes the module.
     *
     * @return the module; the builder can be used further without affecting it
     */
    public ScriptModule build() {
      return new ScriptModule(
          className, Collections.unmodifiableMap(new LinkedHashMap<>(attributes)));
    }

    private Builder put(String name, Object value) {
      Objects.requireNonNull(value, name);
      Checks.argument(
          attributes.putIfAbsent(name, value) == null,
          "%s has two attributes named %s",
          className,
          name);
      return this;
    }
  }
}
