package io.jitflow.examples.scenes;

import java.util.List;

/**
 * What can be said about a scene; each attribute has a few values, in a fixed order.
 *
 * <p>The order of attributes and values is that of the classifier's outputs: append, never reorder.
 * A value without a phrase is never named in a caption.
 */
public enum Attribute {
  /** The time of day: colours of sky and light. */
  TIME(
      value("night", "at night"),
      value("dawn", "at dawn"),
      value("day", "by day"),
      value("sunset", "at sunset")),
  /** What stands in the sky. */
  BODY(
      value("none"),
      value("sun", "the sun"),
      value("full", "a full moon"),
      value("crescent", "a crescent moon")),
  /** Where it stands. */
  BODY_SIDE(value("none"), value("left", "on the left"), value("right", "on the right")),
  /** Stars, at night only. */
  STARS(value("none"), value("stars", "stars")),
  /** Clouds. */
  CLOUDS(
      value("clear", "a clear sky"), value("few", "a few clouds"), value("cloudy", "a cloudy sky")),
  /** What rises at the horizon. */
  MOUNTAINS(
      value("flat"),
      value("hills", "hills"),
      value("rocky", "rocky mountains"),
      value("snowy", "snowy mountains")),
  /** The land in front. */
  GROUND(
      value("meadow", "a green meadow"),
      value("autumn", "an autumn meadow"),
      value("dunes", "sand dunes"),
      value("snow", "a field of snow")),
  /** Water between the horizon and the land in front. */
  WATER(value("none"), value("lake", "a lake"), value("sea", "the sea")),
  /** Trees in front. */
  TREES(
      value("none"),
      value("pines", "pines"),
      value("birches", "birches"),
      value("oaks", "oaks"),
      value("palms", "palms")),
  /** Where they stand. */
  TREES_SIDE(
      value("none"),
      value("left", "on the left"),
      value("right", "on the right"),
      value("both", "on both sides")),
  /** A house. */
  HOUSE(value("none"), value("red", "a red house"), value("white", "a white house")),
  /** A sailing boat, on water only. */
  BOAT(value("none"), value("boat", "a boat")),
  /** Birds in the sky. */
  BIRDS(value("none"), value("birds", "birds")),
  /** A rainbow, not at night. */
  RAINBOW(value("none"), value("rainbow", "a rainbow")),
  /** Mist at the horizon. */
  MIST(value("none"), value("mist", "mist"));

  @SuppressWarnings("ImmutableEnumChecker") // it is a List.of
  private final List<Value> values;

  Attribute(Value... values) {
    this.values = List.of(values);
  }

  /**
   * One value of an attribute.
   *
   * @param label a short name, unique within the attribute
   * @param phrase how a caption says it; empty if captions never name it
   */
  public record Value(String label, String phrase) {}

  private static Value value(String label, String phrase) {
    return new Value(label, phrase);
  }

  private static Value value(String label) {
    return new Value(label, "");
  }

  /** The values, in the order of the classifier's outputs. */
  public List<Value> choices() {
    return values;
  }

  /**
   * The position of a value.
   *
   * @param label the value's label
   * @throws IllegalArgumentException if there is none
   */
  public int index(String label) {
    for (int i = 0; i < values.size(); i++) {
      if (values.get(i).label().equals(label)) {
        return i;
      }
    }
    throw new IllegalArgumentException("%s has no value \"%s\"".formatted(this, label));
  }
}
