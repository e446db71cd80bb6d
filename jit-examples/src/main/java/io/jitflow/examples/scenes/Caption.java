package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.BODY;
import static io.jitflow.examples.scenes.Attribute.BODY_SIDE;
import static io.jitflow.examples.scenes.Attribute.MOUNTAINS;
import static io.jitflow.examples.scenes.Attribute.TIME;
import static io.jitflow.examples.scenes.Attribute.TREES;
import static io.jitflow.examples.scenes.Attribute.TREES_SIDE;
import static io.jitflow.examples.scenes.Attribute.WATER;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Some of a scene's attributes in plain words; what it leaves open is for the model to invent.
 *
 * @param text "a crescent moon on the left over snowy mountains and a lake at night, birches"
 * @param named the attributes that the text tells the value of
 */
public record Caption(String text, Set<Attribute> named) {
  private static final int FEWEST = 3;
  private static final int MOST = 8;

  /** Copies the set. */
  public Caption {
    named = Set.copyOf(named);
  }

  /**
   * A caption that names three to eight attributes, nine if the eighth is a side, which brings the
   * thing it belongs to, or all that can be named if they are fewer.
   *
   * @param scene the scene
   * @param variant which of the scene's captions; each names other attributes
   */
  public static Caption of(Scene scene, int variant) {
    Draws draws = Draws.of(scene.seed(), "caption " + variant);
    int wanted = FEWEST + draws.index(MOST - FEWEST + 1);
    List<Attribute> open = new ArrayList<>();
    for (Attribute attribute : Attribute.values()) {
      if (!phrase(scene, attribute).isEmpty()) {
        open.add(attribute);
      }
    }
    Set<Attribute> named = EnumSet.noneOf(Attribute.class);
    while (!open.isEmpty() && named.size() < wanted) {
      Attribute next = open.remove(draws.index(open.size()));
      named.add(next);
      // a side needs the thing it belongs to
      if (next == BODY_SIDE) {
        named.add(BODY);
        open.remove(BODY);
      } else if (next == TREES_SIDE) {
        named.add(TREES);
        open.remove(TREES);
      }
    }
    return new Caption(text(scene, named), named);
  }

  private static String phrase(Scene scene, Attribute attribute) {
    return attribute.choices().get(scene.value(attribute)).phrase();
  }

  private static String text(Scene scene, Set<Attribute> named) {
    List<String> land = new ArrayList<>();
    for (Attribute attribute : List.of(MOUNTAINS, WATER)) {
      if (named.contains(attribute)) {
        land.add(phrase(scene, attribute));
      }
    }
    String first = land.isEmpty() ? "a landscape" : String.join(" and ", land);
    if (named.contains(BODY)) {
      first = sided(scene, named, BODY, BODY_SIDE) + " over " + first;
    }
    if (named.contains(TIME)) {
      first += " " + phrase(scene, TIME);
    }
    List<String> parts = new ArrayList<>();
    parts.add(first);
    for (Attribute attribute : Attribute.values()) {
      switch (attribute) {
        case TIME, BODY, BODY_SIDE, MOUNTAINS, WATER, TREES_SIDE -> {}
        case TREES -> {
          if (named.contains(TREES)) {
            parts.add(sided(scene, named, TREES, TREES_SIDE));
          }
        }
        default -> {
          if (named.contains(attribute)) {
            parts.add(phrase(scene, attribute));
          }
        }
      }
    }
    return String.join(", ", parts);
  }

  private static String sided(Scene scene, Set<Attribute> named, Attribute thing, Attribute side) {
    return phrase(scene, thing) + (named.contains(side) ? " " + phrase(scene, side) : "");
  }
}
