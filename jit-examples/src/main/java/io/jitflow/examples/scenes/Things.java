package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.HOUSE;
import static io.jitflow.examples.scenes.Attribute.TIME;
import static io.jitflow.examples.scenes.Attribute.TREES_SIDE;

/** What people have made: a boat and a house. */
final class Things {
  private final View view;
  private final Scene scene;
  private final Canvas canvas;
  private final Palette palette;

  Things(View view) {
    this.view = view;
    this.scene = view.scene();
    this.canvas = view.canvas();
    this.palette = view.palette();
  }

  void boat() {
    Draws draws = Draws.of(scene.seed(), "boat");
    float size = draws.next(0.13f, 0.17f);
    float x = clearSide(draws);
    float y = draws.next(view.horizon() + 0.075f, view.horizon() + 0.12f);
    float facing = draws.next() < 0.5f ? -1 : 1;
    float[] hull = palette.lit(0.42f, 0.16f, 0.12f);
    float[] sail = palette.lit(1f, 0.98f, 0.92f);
    float[] mast = palette.lit(0.3f, 0.2f, 0.12f);
    float deck = y - 0.16f * size;
    // reflection
    for (int k = 0; k < 3; k++) {
      float below = y + (0.06f + 0.16f * k) * size;
      float half = (0.36f - 0.1f * k) * size;
      canvas.line(x - half, below, x + half, below, 0.022f * size, 0.022f * size, sail, 0.3f);
    }
    canvas.convex(
        hull,
        1,
        x - 0.5f * size,
        deck,
        x + 0.5f * size,
        deck,
        x + 0.36f * size,
        y,
        x - 0.36f * size,
        y);
    canvas.line(x, deck, x, y - 1.08f * size, 0.014f * size, 0.014f * size, mast, 1);
    canvas.triangle(
        sail,
        x + facing * 0.04f * size,
        y - 1.04f * size,
        x + facing * 0.46f * size,
        deck - 0.05f * size,
        x + facing * 0.04f * size,
        deck - 0.05f * size);
    canvas.triangle(
        sail,
        x - facing * 0.04f * size,
        y - 0.9f * size,
        x - facing * 0.34f * size,
        deck - 0.05f * size,
        x - facing * 0.04f * size,
        deck - 0.05f * size);
  }

  /** Things stand where the trees are not. */
  private float clearSide(Draws draws) {
    float away =
        switch (scene.label(TREES_SIDE)) {
          case "left" -> 0.67f;
          case "right" -> 0.33f;
          default -> 0.5f;
        };
    return canvas.aspect * (away + draws.next(-0.05f, 0.05f));
  }

  void house() {
    Draws draws = Draws.of(scene.seed(), "house");
    float size = draws.next(0.15f, 0.19f);
    float x = clearSide(draws);
    float y = view.water() ? view.shore() + draws.next(0.06f, 0.1f) : draws.next(0.72f, 0.82f);
    boolean red = scene.is(HOUSE, "red");
    float[] wall = red ? palette.lit(0.74f, 0.14f, 0.10f) : palette.lit(0.97f, 0.95f, 0.90f);
    float[] shaded = {wall[0] * 0.72f, wall[1] * 0.72f, wall[2] * 0.76f};
    float[] roof = palette.lit(0.30f, 0.26f, 0.28f);
    float[] door = palette.lit(0.34f, 0.22f, 0.13f);
    boolean lit = scene.is(TIME, "night") || scene.is(TIME, "sunset");
    float[] pane = lit ? new float[] {1f, 0.82f, 0.38f} : palette.lit(0.30f, 0.38f, 0.48f);
    float w = 0.62f * size;
    float eaves = y - 0.52f * size;
    float ridge = y - size;
    // gable on one side, long wall on the other
    float turn = draws.next() < 0.5f ? -1 : 1;
    float corner = x - turn * 0.16f * size;
    float near = x - turn * w;
    float farEnd = x + turn * w;
    canvas.quad(shaded, corner, eaves, farEnd, eaves, farEnd, y, corner, y);
    canvas.quad(wall, near, eaves, corner, eaves, corner, y, near, y);
    float gable = (near + corner) / 2;
    canvas.triangle(wall, near, eaves, corner, eaves, gable, ridge);
    canvas.quad(
        roof,
        gable,
        ridge - 0.02f * size,
        farEnd - turn * 0.12f * size,
        ridge - 0.02f * size,
        farEnd + turn * 0.04f * size,
        eaves + 0.03f * size,
        corner,
        eaves + 0.03f * size);
    canvas.line(
        near - turn * 0.03f * size,
        eaves + 0.03f * size,
        gable,
        ridge - 0.01f * size,
        0.02f * size,
        0.02f * size,
        roof,
        1);
    canvas.quad(
        door,
        gable - 0.07f * size,
        y - 0.27f * size,
        gable + 0.07f * size,
        y - 0.27f * size,
        gable + 0.07f * size,
        y,
        gable - 0.07f * size,
        y);
    for (int k = 0; k < 2; k++) {
      float px = corner + turn * (0.22f + 0.28f * k) * size;
      canvas.quad(
          pane,
          px - 0.07f * size,
          y - 0.36f * size,
          px + 0.07f * size,
          y - 0.36f * size,
          px + 0.07f * size,
          y - 0.18f * size,
          px - 0.07f * size,
          y - 0.18f * size);
    }
  }
}
