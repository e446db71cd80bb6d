package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.BODY;
import static io.jitflow.examples.scenes.Attribute.BODY_SIDE;
import static io.jitflow.examples.scenes.Attribute.TIME;
import static io.jitflow.examples.scenes.Attribute.WATER;

/**
 * A picture of a scene, and where things are in it, in units of its height.
 *
 * @param scene what is drawn
 * @param canvas where it is drawn
 * @param palette its colours
 * @param horizon the row where the sky ends
 * @param shore the row where the water ends
 * @param water whether there is any
 * @param bodyX where the sun or moon is, from the left
 * @param bodyY where it is, from the top
 * @param light from which side it shines: -1 from the left, 1 from the right
 * @param offset what makes the noise of this scene another than that of others
 */
record View(
    Scene scene,
    Canvas canvas,
    Palette palette,
    float horizon,
    float shore,
    boolean water,
    float bodyX,
    float bodyY,
    float light,
    float offset) {

  static View of(Scene scene, Canvas canvas) {
    Draws layout = Draws.of(scene.seed(), "layout");
    float offset = layout.next(0, 97);
    float horizon = layout.next(0.50f, 0.58f);
    float shore = layout.next(0.76f, 0.82f);
    float across = layout.next(0.16f, 0.36f) * canvas.aspect;
    float bodyX = scene.is(BODY_SIDE, "right") ? canvas.aspect - across : across;
    float high = layout.next(0.12f, 0.2f);
    boolean low = scene.is(BODY, "sun") && !scene.is(TIME, "day");
    return new View(
        scene,
        canvas,
        Palette.of(scene),
        horizon,
        shore,
        !scene.is(WATER, "none"),
        bodyX,
        low ? high + 0.06f : high,
        bodyX < canvas.aspect / 2 ? -1 : 1,
        offset);
  }
}
