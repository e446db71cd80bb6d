package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.BIRDS;
import static io.jitflow.examples.scenes.Attribute.BOAT;
import static io.jitflow.examples.scenes.Attribute.HOUSE;
import static io.jitflow.examples.scenes.Attribute.MIST;
import static io.jitflow.examples.scenes.Attribute.RAINBOW;
import static io.jitflow.examples.scenes.Attribute.TREES;

/**
 * Draws a scene from back to front: sky, mountains, water, mist, ground, then what stands on it.
 *
 * <p>Where things are depends on the seed alone and is measured in units of the height, so that a
 * scene looks the same at every size; larger pictures have finer detail. About 80 pictures of 256 x
 * 256 a second on one core.
 */
public final class SceneRenderer {
  private SceneRenderer() {}

  /**
   * Draws a scene.
   *
   * @param scene what to draw
   * @param width in pixels, at least 16
   * @param height in pixels, at least 16
   * @return red, green, blue, one byte each, row by row from the top
   */
  public static byte[] render(Scene scene, int width, int height) {
    if (width < 16 || height < 16) {
      throw new IllegalArgumentException(
          "a scene is at least 16 x 16 px, got %d x %d".formatted(width, height));
    }
    Canvas canvas = new Canvas(width, height);
    draw(scene, View.of(scene, canvas));
    return canvas.bytes();
  }

  private static void draw(Scene scene, View view) {
    Sky sky = new Sky(view);
    Land land = new Land(view);
    Things things = new Things(view);
    sky.draw();
    if (scene.is(RAINBOW, "rainbow")) {
      sky.rainbow();
    }
    if (scene.is(BIRDS, "birds")) {
      sky.birds();
    }
    land.mountains();
    if (view.water()) {
      land.water();
    }
    if (scene.is(MIST, "mist")) {
      land.mist();
    }
    if (scene.is(BOAT, "boat")) {
      things.boat();
    }
    land.ground();
    if (!scene.is(HOUSE, "none")) {
      things.house();
    }
    if (!scene.is(TREES, "none")) {
      new Trees(view).draw();
    }
  }
}
