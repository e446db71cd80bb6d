package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.CLOUDS;
import static io.jitflow.examples.scenes.Attribute.GROUND;
import static io.jitflow.examples.scenes.Attribute.TIME;

/**
 * The colours of a time of day, a little different in every scene; red, green, blue from 0 to 1.
 */
final class Palette {
  /** The sky above. */
  final float[] top;

  /** The sky at the horizon, and haze. */
  final float[] horizon;

  final float[] cloud;

  /** The sun's disc and glow. */
  final float[] sun;

  final float[] mist;

  /** Grass in this light; on a field of snow, white. */
  final float[] grass;

  /** What falls on the land. */
  private final float[] ambient;

  private Palette(float[][] colours, float[] grass) {
    top = colours[0];
    horizon = colours[1];
    cloud = colours[2];
    sun = colours[3];
    mist = colours[4];
    ambient = colours[5];
    this.grass = grass;
  }

  static Palette of(Scene scene) {
    float[][] colours =
        switch (scene.label(TIME)) {
          case "night" ->
              colours(
                  0.02f, 0.03f, 0.11f, 0.12f, 0.17f, 0.33f, 0.24f, 0.27f, 0.36f, 1, 1, 1, 0.34f,
                  0.38f, 0.50f, 0.42f, 0.50f, 0.68f);
          case "dawn" ->
              colours(
                  0.45f, 0.50f, 0.78f, 0.99f, 0.75f, 0.78f, 0.98f, 0.84f, 0.86f, 1, 0.95f, 0.78f,
                  0.96f, 0.86f, 0.88f, 0.76f, 0.68f, 0.76f);
          case "day" ->
              colours(
                  0.18f, 0.44f, 0.86f, 0.74f, 0.87f, 0.97f, 0.98f, 0.98f, 1, 1, 0.94f, 0.50f, 0.92f,
                  0.95f, 0.98f, 1, 0.99f, 0.95f);
          default ->
              colours(
                  0.26f, 0.17f, 0.40f, 1, 0.52f, 0.16f, 0.93f, 0.48f, 0.36f, 1, 0.82f, 0.35f, 0.95f,
                  0.62f, 0.42f, 0.80f, 0.50f, 0.36f);
        };
    Draws draws = Draws.of(scene.seed(), "palette");
    for (float[] colour : colours) {
      for (int c = 0; c < 3; c++) {
        colour[c] *= draws.next(0.9f, 1.1f);
      }
    }
    if (scene.is(CLOUDS, "cloudy")) {
      // a covered sky is greyer, and so is the light
      for (int k = 0; k < 3; k++) {
        float[] colour = colours[k];
        float grey = (colour[0] + colour[1] + colour[2]) / 3;
        for (int c = 0; c < 3; c++) {
          colour[c] = 0.86f * (colour[c] + 0.3f * (grey - colour[c]));
        }
      }
    }
    float green = draws.next(0.85f, 1.1f);
    float[] light = colours[5];
    boolean white = scene.is(GROUND, "snow");
    float[] grass =
        white
            ? new float[] {0.72f * light[0], 0.78f * light[1], 0.84f * light[2]}
            : new float[] {0.28f * green * light[0], 0.50f * light[1], 0.14f * light[2]};
    return new Palette(colours, grass);
  }

  private static float[][] colours(float... all) {
    float[][] colours = new float[all.length / 3][];
    for (int k = 0; k < colours.length; k++) {
      colours[k] = new float[] {all[3 * k], all[3 * k + 1], all[3 * k + 2]};
    }
    return colours;
  }

  /** A surface colour in this light. */
  float[] lit(float... surface) {
    return new float[] {surface[0] * ambient[0], surface[1] * ambient[1], surface[2] * ambient[2]};
  }

  float[] rock() {
    return lit(0.46f, 0.42f, 0.44f);
  }

  float[] water(boolean sea) {
    return sea ? lit(0.06f, 0.36f, 0.46f) : lit(0.16f, 0.28f, 0.36f);
  }

  /** How bright the light is. */
  float brightness() {
    return (ambient[0] + ambient[1] + ambient[2]) / 3;
  }
}
