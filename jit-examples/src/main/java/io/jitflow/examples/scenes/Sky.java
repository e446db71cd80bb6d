package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.BODY;
import static io.jitflow.examples.scenes.Attribute.CLOUDS;
import static io.jitflow.examples.scenes.Attribute.STARS;
import static io.jitflow.examples.scenes.Attribute.TIME;
import static io.jitflow.examples.scenes.Canvas.clamp;
import static io.jitflow.examples.scenes.Canvas.smooth;

/** The sky and what is in it. */
final class Sky {
  private final View view;
  private final Scene scene;
  private final Canvas canvas;
  private final Palette palette;

  Sky(View view) {
    this.view = view;
    this.scene = view.scene();
    this.canvas = view.canvas();
    this.palette = view.palette();
  }

  void draw() {
    int lastRow = Math.min(canvas.height, canvas.row(view.horizon()) + 2);
    boolean cloudy = scene.is(CLOUDS, "cloudy");
    boolean clouded = !scene.is(CLOUDS, "clear");
    float low = cloudy ? -0.5f : 0.25f;
    float high = cloudy ? 0.35f : 0.75f;
    float[] top = palette.top;
    float[] bottom = palette.horizon;
    float[] cloud = palette.cloud;
    for (int row = 0; row < lastRow; row++) {
      float y = canvas.y(row);
      float t = (float) Math.pow(clamp(y / view.horizon()), 1.3);
      // clouds are seen from below: flatter and closer together towards the view.horizon()
      float flat = 0.35f / (1.15f - clamp(y / view.horizon()));
      for (int column = 0; column < canvas.width; column++) {
        float x = canvas.x(column);
        int i = (row * canvas.width + column) * 3;
        for (int c = 0; c < 3; c++) {
          canvas.rgb[i + c] = top[c] + t * (bottom[c] - top[c]);
        }
        if (clouded) {
          float n =
              Noise.octaves(
                  x * (0.7f + flat) + view.offset(),
                  y * (1 + 3 * flat),
                  3.2f,
                  canvas.pixel * 2,
                  6,
                  0.58f);
          float cover = smooth(low, high, n) * (cloudy ? 0.92f : 0.85f);
          // thick parts are darker below
          float shade = 1 - (cloudy ? 0.22f : 0.1f) * smooth(0.1f, 1.2f, n);
          canvas.blend(column, row, cloud[0] * shade, cloud[1] * shade, cloud[2] * shade, cover);
        }
      }
    }
    if (scene.is(STARS, "stars")) {
      stars();
    }
    body();
  }

  private void stars() {
    Draws draws = Draws.of(scene.seed(), "stars");
    float[] white = {1, 1, 0.95f};
    int count = Math.round(110 * canvas.aspect);
    for (int k = 0; k < count; k++) {
      float x = draws.next(0, canvas.aspect);
      float y = draws.next(0, view.horizon() - 0.03f);
      float size = draws.next();
      float r = 0.0016f + 0.0032f * size * size * size;
      canvas.line(x, y, x, y, r, r, white, 0.95f);
    }
  }

  private void body() {
    if (scene.is(BODY, "none")) {
      return;
    }
    float radius = Draws.of(scene.seed(), "body").next(0.058f, 0.076f);
    boolean sun = scene.is(BODY, "sun");
    boolean crescent = scene.is(BODY, "crescent");
    float[] colour = sun ? palette.sun : new float[] {0.96f, 0.95f, 0.86f};
    float reach = sun ? 0.5f : 0.22f;
    float strength = sun ? 0.55f : 0.22f;
    float tilt = Draws.of(scene.seed(), "phase").next(-0.5f, 0.5f);
    float cutX = view.bodyX() - view.light() * radius * 0.62f * (float) Math.cos(tilt);
    float cutY = view.bodyY() + radius * 0.62f * (float) Math.sin(tilt);
    int lastRow = Math.min(canvas.row(view.bodyY() + reach), canvas.row(view.horizon()) + 2);
    for (int row = canvas.row(view.bodyY() - reach); row < lastRow; row++) {
      float dy = canvas.y(row) - view.bodyY();
      int lastColumn = canvas.column(view.bodyX() + reach);
      for (int column = canvas.column(view.bodyX() - reach); column < lastColumn; column++) {
        float dx = canvas.x(column) - view.bodyX();
        float d = (float) Math.sqrt(dx * dx + dy * dy);
        if (d > reach) {
          continue;
        }
        float glow = 1 - d / reach;
        canvas.blend(column, row, colour, strength * glow * glow * glow);
        if (d > radius + canvas.pixel) {
          continue;
        }
        float disc = canvas.coverage(radius - d);
        if (crescent) {
          float ex = canvas.x(column) - cutX;
          float ey = canvas.y(row) - cutY;
          disc =
              Math.min(disc, canvas.coverage((float) Math.sqrt(ex * ex + ey * ey) - radius * 0.9f));
        }
        float spots =
            sun
                ? 1
                : 0.93f + 0.1f * Noise.octaves(dx + view.offset(), dy, 22, canvas.pixel, 3, 0.6f);
        canvas.blend(column, row, colour[0] * spots, colour[1] * spots, colour[2] * spots, disc);
      }
    }
  }

  void rainbow() {
    Draws draws = Draws.of(scene.seed(), "rainbow");
    float radius = draws.next(0.38f, 0.46f);
    float thick = 0.075f;
    float centre = canvas.aspect / 2 - view.light() * draws.next(0.05f, 0.15f) * canvas.aspect;
    int lastRow = canvas.row(view.horizon());
    for (int row = 0; row < lastRow; row++) {
      float dy = canvas.y(row) - view.horizon() - 0.03f;
      for (int column = 0; column < canvas.width; column++) {
        float dx = canvas.x(column) - centre;
        float t = ((float) Math.sqrt(dx * dx + dy * dy) - radius) / thick;
        if (t > 0 && t < 1) {
          float alpha = 0.62f * smooth(0, 0.2f, t) * smooth(0, 0.2f, 1 - t);
          float red = smooth(0.45f, 0.75f, t) + 0.35f * smooth(0.25f, 0, t);
          float green = smooth(0.15f, 0.45f, t) * smooth(0.95f, 0.65f, t);
          float blue = smooth(0.55f, 0.25f, t);
          canvas.blend(column, row, red, green, blue, alpha);
        }
      }
    }
  }

  void birds() {
    Draws draws = Draws.of(scene.seed(), "birds");
    float[] colour =
        scene.is(TIME, "night")
            ? new float[] {0.6f, 0.65f, 0.75f}
            : new float[] {0.08f, 0.08f, 0.1f};
    int count = 4 + draws.index(4);
    // away from the sun, together
    float x0 = canvas.aspect * (view.light() < 0 ? 0.68f : 0.32f) + draws.next(-0.06f, 0.06f);
    float y0 = draws.next(0.15f, 0.24f);
    for (int k = 0; k < count; k++) {
      float x = x0 + draws.next(-0.2f, 0.2f) * Math.min(1, canvas.aspect);
      float y = y0 + draws.next(-0.09f, 0.09f);
      float span = draws.next(0.028f, 0.045f);
      float lift = draws.next(0.25f, 0.6f) * span;
      for (int side = -1; side <= 1; side += 2) {
        float mid = x + side * span * 0.5f;
        canvas.line(x, y, mid, y - lift, 0.005f, 0.0045f, colour, 0.95f);
        canvas.line(
            mid, y - lift, x + side * span, y - lift * 0.55f, 0.0045f, 0.002f, colour, 0.95f);
      }
    }
  }
}
