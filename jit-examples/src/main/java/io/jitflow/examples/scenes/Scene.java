package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.BIRDS;
import static io.jitflow.examples.scenes.Attribute.BOAT;
import static io.jitflow.examples.scenes.Attribute.BODY;
import static io.jitflow.examples.scenes.Attribute.BODY_SIDE;
import static io.jitflow.examples.scenes.Attribute.CLOUDS;
import static io.jitflow.examples.scenes.Attribute.GROUND;
import static io.jitflow.examples.scenes.Attribute.HOUSE;
import static io.jitflow.examples.scenes.Attribute.MIST;
import static io.jitflow.examples.scenes.Attribute.MOUNTAINS;
import static io.jitflow.examples.scenes.Attribute.RAINBOW;
import static io.jitflow.examples.scenes.Attribute.STARS;
import static io.jitflow.examples.scenes.Attribute.TIME;
import static io.jitflow.examples.scenes.Attribute.TREES;
import static io.jitflow.examples.scenes.Attribute.TREES_SIDE;
import static io.jitflow.examples.scenes.Attribute.WATER;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * A landscape: a value for every attribute, and a seed for all that the attributes leave open.
 *
 * <p>Seeds below {@link #FIRST_HELD_OUT} are for training, the others for measuring. Scenes of
 * training seeds never hold one of the {@link #HELD_OUT} combinations; of the others, every fourth
 * seed holds one. Immutable.
 */
public final class Scene {
  /** The first seed that is never trained on. */
  public static final long FIRST_HELD_OUT = 1_000_000_000L;

  /** Pairs of values that are never trained on together. */
  public static final List<Combination> HELD_OUT =
      List.of(
          new Combination(TREES, "palms", GROUND, "snow"),
          new Combination(TREES, "birches", BODY, "crescent"),
          new Combination(RAINBOW, "rainbow", GROUND, "dunes"),
          new Combination(HOUSE, "white", TIME, "sunset"),
          new Combination(MOUNTAINS, "snowy", WATER, "sea"));

  private final long seed;
  private final Map<Attribute, Integer> values;

  private Scene(long seed, Map<Attribute, Integer> values) {
    this.seed = seed;
    this.values = values;
  }

  /**
   * Two values that occur together.
   *
   * @param first an attribute
   * @param firstLabel its value
   * @param second another attribute
   * @param secondLabel its value
   */
  public record Combination(
      Attribute first, String firstLabel, Attribute second, String secondLabel) {
    /** Whether a scene has both. */
    public boolean in(Scene scene) {
      return scene.is(first, firstLabel) && scene.is(second, secondLabel);
    }
  }

  /**
   * The scene of a seed.
   *
   * @param seed any; see the class comment for which to use
   */
  public static Scene of(long seed) {
    boolean wanted = seed >= FIRST_HELD_OUT && seed % 4 == 0;
    for (int attempt = 0; ; attempt++) {
      Scene scene = draw(seed, attempt);
      if (HELD_OUT.stream().anyMatch(combination -> combination.in(scene)) == wanted) {
        return scene;
      }
    }
  }

  private static Scene draw(long seed, int attempt) {
    Draws draws = Draws.of(seed, "attributes " + attempt);
    Map<Attribute, Integer> v = new EnumMap<>(Attribute.class);
    int time = draws.index(4);
    v.put(TIME, time);
    v.put(
        BODY,
        switch (time) {
          case 0 -> draws.weighted(2, 0, 4, 4);
          case 1 -> draws.weighted(2, 4, 2, 2);
          case 2 -> draws.weighted(3, 7, 0, 0);
          default -> draws.weighted(2, 5, 0, 3);
        });
    v.put(BODY_SIDE, 1 + draws.index(2));
    v.put(STARS, draws.weighted(4, 6));
    v.put(CLOUDS, draws.index(3));
    v.put(MOUNTAINS, draws.weighted(2, 2, 3, 3));
    v.put(GROUND, draws.weighted(3, 2, 2, 2));
    v.put(WATER, draws.weighted(4, 3, 3));
    v.put(TREES, draws.weighted(2, 2, 2, 2, 2));
    v.put(TREES_SIDE, 1 + draws.weighted(4, 4, 2));
    v.put(HOUSE, draws.weighted(5, 2, 2));
    v.put(BOAT, draws.weighted(6, 4));
    v.put(BIRDS, draws.weighted(7, 3));
    v.put(RAINBOW, draws.weighted(8, 2));
    v.put(MIST, draws.weighted(7, 3));
    makeConsistent(v);
    return new Scene(seed, v);
  }

  /** What cannot be is set to none: no side without a thing, no stars by day, no boat on land. */
  private static void makeConsistent(Map<Attribute, Integer> v) {
    if (v.get(BODY) == 0) {
      v.put(BODY_SIDE, 0);
    }
    if (v.get(TREES) == 0) {
      v.put(TREES_SIDE, 0);
    }
    if (v.get(WATER) == 0) {
      v.put(BOAT, 0);
    }
    v.put(v.get(TIME) == TIME.index("night") ? RAINBOW : STARS, 0);
  }

  /** The same layout with another value of one attribute. */
  public Scene with(Attribute attribute, String label) {
    Map<Attribute, Integer> v = new EnumMap<>(values);
    v.put(attribute, attribute.index(label));
    return new Scene(seed, v);
  }

  /** The seed. */
  public long seed() {
    return seed;
  }

  /** The position of the attribute's value among its choices. */
  public int value(Attribute attribute) {
    return values.get(attribute);
  }

  /** The label of the attribute's value. */
  public String label(Attribute attribute) {
    return attribute.choices().get(value(attribute)).label();
  }

  /** Whether an attribute has this value. */
  public boolean is(Attribute attribute, String label) {
    return value(attribute) == attribute.index(label);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Scene scene && seed == scene.seed && values.equals(scene.values);
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(seed) + values.hashCode();
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("scene " + seed);
    for (Attribute attribute : Attribute.values()) {
      text.append(' ').append(attribute).append('=').append(label(attribute));
    }
    return text.toString();
  }
}
