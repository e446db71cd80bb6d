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
import static io.jitflow.examples.scenes.Canvas.clamp;
import static io.jitflow.examples.scenes.Canvas.smooth;

/**
 * Draws a scene from back to front: sky, mountains, water, mist, ground, then what stands on it.
 *
 * <p>Where things are depends on the seed alone and is measured in units of the height, so that a
 * scene looks the same at every size; larger pictures have finer detail. About 80 pictures of 256 x
 * 256 a second on one core.
 */
public final class SceneRenderer {
  private static final float[] BARK = {0.30f, 0.21f, 0.14f};

  private final Scene scene;
  private final Canvas canvas;
  private final Palette palette;
  private final float horizon;
  private final float shore;
  private final boolean water;
  private final float bodyX;
  private final float bodyY;
  private final float light;
  private final float offset;

  private SceneRenderer(Scene scene, int width, int height) {
    this.scene = scene;
    this.canvas = new Canvas(width, height);
    this.palette = Palette.of(scene);
    Draws layout = Draws.of(scene.seed(), "layout");
    this.offset = layout.next(0, 97);
    this.horizon = layout.next(0.50f, 0.58f);
    this.shore = layout.next(0.76f, 0.82f);
    this.water = !scene.is(WATER, "none");
    float across = layout.next(0.16f, 0.36f) * canvas.aspect;
    this.bodyX = scene.is(BODY_SIDE, "right") ? canvas.aspect - across : across;
    float high = layout.next(0.12f, 0.2f);
    boolean low = scene.is(BODY, "sun") && !scene.is(TIME, "day");
    this.bodyY = low ? high + 0.06f : high;
    this.light = bodyX < canvas.aspect / 2 ? -1 : 1;
  }

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
    return new SceneRenderer(scene, width, height).draw().bytes();
  }

  private Canvas draw() {
    sky();
    if (scene.is(RAINBOW, "rainbow")) {
      rainbow();
    }
    if (scene.is(BIRDS, "birds")) {
      birds();
    }
    mountains();
    if (water) {
      water();
    }
    if (scene.is(MIST, "mist")) {
      mist();
    }
    if (scene.is(BOAT, "boat")) {
      boat();
    }
    ground();
    if (!scene.is(HOUSE, "none")) {
      house();
    }
    if (!scene.is(TREES, "none")) {
      trees();
    }
    return canvas;
  }

  // ---- sky

  private void sky() {
    int lastRow = Math.min(canvas.height, canvas.row(horizon) + 2);
    boolean cloudy = scene.is(CLOUDS, "cloudy");
    boolean clouded = !scene.is(CLOUDS, "clear");
    float low = cloudy ? -0.5f : 0.25f;
    float high = cloudy ? 0.35f : 0.75f;
    float[] top = palette.top;
    float[] bottom = palette.horizon;
    float[] cloud = palette.cloud;
    for (int row = 0; row < lastRow; row++) {
      float y = canvas.y(row);
      float t = (float) Math.pow(clamp(y / horizon), 1.3);
      // clouds are seen from below: flatter and closer together towards the horizon
      float flat = 0.35f / (1.15f - clamp(y / horizon));
      for (int column = 0; column < canvas.width; column++) {
        float x = canvas.x(column);
        int i = (row * canvas.width + column) * 3;
        for (int c = 0; c < 3; c++) {
          canvas.rgb[i + c] = top[c] + t * (bottom[c] - top[c]);
        }
        if (clouded) {
          float n =
              Noise.octaves(
                  x * (0.7f + flat) + offset, y * (1 + 3 * flat), 3.2f, canvas.pixel * 2, 6, 0.58f);
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
      float y = draws.next(0, horizon - 0.03f);
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
    float cutX = bodyX - light * radius * 0.62f * (float) Math.cos(tilt);
    float cutY = bodyY + radius * 0.62f * (float) Math.sin(tilt);
    int lastRow = Math.min(canvas.row(bodyY + reach), canvas.row(horizon) + 2);
    for (int row = canvas.row(bodyY - reach); row < lastRow; row++) {
      float dy = canvas.y(row) - bodyY;
      int lastColumn = canvas.column(bodyX + reach);
      for (int column = canvas.column(bodyX - reach); column < lastColumn; column++) {
        float dx = canvas.x(column) - bodyX;
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
            sun ? 1 : 0.93f + 0.1f * Noise.octaves(dx + offset, dy, 22, canvas.pixel, 3, 0.6f);
        canvas.blend(column, row, colour[0] * spots, colour[1] * spots, colour[2] * spots, disc);
      }
    }
  }

  private void rainbow() {
    Draws draws = Draws.of(scene.seed(), "rainbow");
    float radius = draws.next(0.38f, 0.46f);
    float thick = 0.075f;
    float centre = canvas.aspect / 2 - light * draws.next(0.05f, 0.15f) * canvas.aspect;
    int lastRow = canvas.row(horizon);
    for (int row = 0; row < lastRow; row++) {
      float dy = canvas.y(row) - horizon - 0.03f;
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

  private void birds() {
    Draws draws = Draws.of(scene.seed(), "birds");
    float[] colour =
        scene.is(TIME, "night")
            ? new float[] {0.6f, 0.65f, 0.75f}
            : new float[] {0.08f, 0.08f, 0.1f};
    int count = 4 + draws.index(4);
    // away from the sun, together
    float x0 = canvas.aspect * (light < 0 ? 0.68f : 0.32f) + draws.next(-0.06f, 0.06f);
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

  // ---- land at the horizon

  private void mountains() {
    Draws draws = Draws.of(scene.seed(), "mountains");
    boolean hills = scene.is(MOUNTAINS, "hills");
    boolean snowy = scene.is(MOUNTAINS, "snowy");
    float height = draws.next(0.2f, 0.27f);
    float shift = draws.next(0, 50);
    if (!scene.is(MOUNTAINS, "flat")) {
      for (int range = 0; range < 2; range++) {
        range(hills, snowy, hills ? height * 0.45f : height, shift + 17 * range, range);
      }
    }
    // a strip of far land joins mountains and water; the sea has none
    if (!scene.is(WATER, "sea")) {
      farShore();
    }
  }

  private void range(boolean hills, boolean snowy, float height, float shift, int range) {
    float scale = range == 0 ? 1 : 0.62f;
    float haze = range == 0 ? 0.42f : 0.16f;
    float[] rock = hills ? palette.grass : palette.rock();
    float[] snow = palette.lit(0.95f, 0.97f, 1);
    float[] far = palette.horizon;
    int lastRow = Math.min(canvas.height, canvas.row(horizon) + 1);
    float step = 0.012f;
    for (int column = 0; column < canvas.width; column++) {
      float x = canvas.x(column) + shift;
      float crest = crest(hills, x, height * scale);
      float slope = (crest(hills, x + canvas.pixel, height * scale) - crest) / canvas.pixel;
      float steep = 1 / (float) Math.sqrt(1 + slope * slope);
      for (int row = canvas.row(horizon - crest - 2 * canvas.pixel); row < lastRow; row++) {
        float y = canvas.y(row);
        float alpha = canvas.coverage((y - horizon + crest) * steep);
        if (alpha <= 0) {
          continue;
        }
        float r;
        float g;
        float b;
        if (hills) {
          float n = Noise.octaves(x, y * 2, 14, canvas.pixel * 2, 4, 0.65f);
          float s = 0.92f + 0.16f * n + light * slope * -0.12f;
          r = rock[0] * s;
          g = rock[1] * s;
          b = rock[2] * s;
        } else {
          float here = Noise.ridges(x + y * 0.3f, y * 0.8f, 7, canvas.pixel, 5, 0.6f);
          float there =
              Noise.ridges(x + light * step + y * 0.3f, y * 0.8f, 7, canvas.pixel, 5, 0.6f);
          float s = clamp(0.85f + 1.9f * (here - there)) + 0.15f;
          float cap = 0;
          if (snowy) {
            float below = (y - horizon + crest) / (height * scale);
            cap = smooth(0.08f, -0.08f, below - 0.34f - 0.3f * (here - 0.6f));
          }
          r = s * (rock[0] + cap * (snow[0] - rock[0]));
          g = s * (rock[1] + cap * (snow[1] - rock[1]));
          b = s * (rock[2] + cap * (snow[2] - rock[2]));
        }
        canvas.blend(
            column,
            row,
            r + haze * (far[0] - r),
            g + haze * (far[1] - g),
            b + haze * (far[2] - b),
            alpha);
      }
    }
  }

  private float crest(boolean hills, float x, float height) {
    if (hills) {
      return height * (0.62f + 0.38f * Noise.octaves(x, 3.3f, 2.2f, canvas.pixel, 3, 0.4f));
    }
    float ridge = Noise.ridges(x, 8.1f, 2.1f, canvas.pixel, 7, 0.52f);
    return height * clamp(0.12f + 0.95f * ridge);
  }

  private void farShore() {
    float[] colour = groundColour();
    float[] far = palette.horizon;
    float shift = offset * 1.7f;
    for (int column = 0; column < canvas.width; column++) {
      float x = canvas.x(column);
      float top =
          horizon
              - 0.012f
              - 0.012f * (1 + Noise.octaves(x + shift, 1.5f, 6, canvas.pixel, 4, 0.5f));
      int last = Math.min(canvas.height, canvas.row(horizon) + 1);
      for (int row = canvas.row(top - canvas.pixel); row < last; row++) {
        float s = 0.72f + 0.12f * Noise.at(x * 60 + offset, canvas.y(row) * 90);
        canvas.blend(
            column,
            row,
            0.75f * s * colour[0] + 0.25f * far[0],
            0.75f * s * colour[1] + 0.25f * far[1],
            0.75f * s * colour[2] + 0.25f * far[2],
            canvas.coverage(canvas.y(row) - top));
      }
    }
  }

  // ---- water

  private void water() {
    boolean sea = scene.is(WATER, "sea");
    float[] deep = palette.water(sea);
    float[] glint = scene.is(BODY, "sun") ? palette.sun : new float[] {0.9f, 0.92f, 0.88f};
    boolean shining = !scene.is(BODY, "none");
    int first = canvas.row(horizon);
    for (int row = first; row < canvas.height; row++) {
      float y = canvas.y(row);
      float depth = Math.max(y - horizon, 0) + 0.012f;
      if (depth > shore - horizon + 0.08f) {
        // the ground covers the rest
        break;
      }
      float across = 1 / depth;
      float footprint = canvas.pixel * across * 1.4f;
      float alpha = canvas.coverage(y - horizon);
      float mirrored = horizon - (y - horizon) * 1.05f;
      float tint = sea ? 0.62f : 0.22f + 0.5f * depth;
      for (int column = 0; column < canvas.width; column++) {
        float x = canvas.x(column);
        float wave =
            Noise.octaves(
                (x - canvas.aspect / 2) * across * 0.5f + offset,
                across * 3.2f,
                1.1f,
                footprint,
                3,
                0.7f);
        float shift = wave * (sea ? 0.03f : 0.008f);
        int from = canvas.row(mirrored + shift * 0.7f);
        from = Math.max(0, Math.min(first - 1, from));
        int beside =
            Math.max(0, Math.min(canvas.width - 1, column + Math.round(shift / canvas.pixel)));
        int i = (from * canvas.width + beside) * 3;
        float bright = 1 + wave * (sea ? 0.17f : 0.05f);
        float r = (canvas.rgb[i] + tint * (deep[0] - canvas.rgb[i])) * bright;
        float g = (canvas.rgb[i + 1] + tint * (deep[1] - canvas.rgb[i + 1])) * bright;
        float b = (canvas.rgb[i + 2] + tint * (deep[2] - canvas.rgb[i + 2])) * bright;
        float crest = sea ? 0.35f * smooth(0.75f, 1.2f, wave) * palette.brightness() : 0;
        if (shining) {
          float away = (x - bodyX) / (0.03f + 0.35f * depth);
          crest += 0.9f * (float) Math.exp(-away * away) * smooth(-0.1f, 0.8f, wave);
        }
        crest = clamp(crest);
        canvas.blend(
            column,
            row,
            r + crest * (glint[0] - r),
            g + crest * (glint[1] - g),
            b + crest * (glint[2] - b),
            alpha);
      }
    }
  }

  private void mist() {
    float[] colour = palette.mist;
    float middle = horizon + 0.01f;
    int last = canvas.row(middle + 0.24f);
    for (int row = canvas.row(middle - 0.24f); row < last; row++) {
      float y = canvas.y(row);
      for (int column = 0; column < canvas.width; column++) {
        float n =
            Noise.octaves(canvas.x(column) + offset, y * 3.5f, 2.5f, canvas.pixel * 3, 4, 0.5f);
        float t = (y - middle - 0.05f * n) / 0.095f;
        canvas.blend(column, row, colour, 0.88f * (float) Math.exp(-t * t));
      }
    }
  }

  // ---- land in front

  private float[] groundColour() {
    return switch (scene.label(GROUND)) {
      case "meadow" -> palette.grass;
      case "autumn" -> palette.lit(0.70f, 0.47f, 0.17f);
      case "dunes" -> palette.lit(0.90f, 0.76f, 0.52f);
      default -> palette.lit(0.90f, 0.94f, 1f);
    };
  }

  private float groundTop(float x) {
    if (!water) {
      return horizon;
    }
    return shore + 0.045f * Noise.octaves(x + offset * 2.3f, 4.4f, 1.6f, canvas.pixel, 5, 0.5f);
  }

  private void ground() {
    float[] colour = groundColour();
    boolean dunes = scene.is(GROUND, "dunes");
    boolean snow = scene.is(GROUND, "snow");
    float[] second =
        switch (scene.label(GROUND)) {
          case "meadow" -> palette.lit(0.52f, 0.60f, 0.20f);
          case "autumn" -> palette.lit(0.62f, 0.27f, 0.12f);
          case "dunes" -> palette.lit(0.70f, 0.50f, 0.30f);
          default -> palette.lit(0.62f, 0.72f, 0.90f);
        };
    float sand = 0.02f;
    float[] wet = palette.lit(0.72f, 0.64f, 0.48f);
    float[] tops = new float[canvas.width];
    float least = 1;
    for (int column = 0; column < canvas.width; column++) {
      tops[column] = groundTop(canvas.x(column));
      least = Math.min(least, tops[column]);
    }
    for (int row = canvas.row(least - canvas.pixel); row < canvas.height; row++) {
      float y = canvas.y(row);
      float depth = y - horizon + 0.06f;
      float across = 0.45f / depth;
      float footprint = canvas.pixel * across * 1.5f;
      for (int column = 0; column < canvas.width; column++) {
        float alpha = canvas.coverage(y - tops[column]);
        if (alpha <= 0) {
          continue;
        }
        float u = (canvas.x(column) - canvas.aspect / 2) * across + offset;
        float v = across * 1.8f;
        float n;
        float shade;
        if (dunes) {
          // long crests, lit on one side, with ripples
          float wave = Noise.octaves(u * 0.45f, v * 2.2f + 0.3f * u, 1.7f, footprint, 3, 0.45f);
          float fold = Math.abs(wave);
          float ripples = Noise.octaves(u, v * 3.5f, 16, footprint, 2, 0.6f);
          n = smooth(0.32f, 0.02f, fold) * 0.8f;
          shade = 1 + 0.05f * ripples + 0.08f * wave;
        } else if (snow) {
          float drift = Noise.octaves(u * 0.6f, v * 2, 1.9f, footprint, 5, 0.5f);
          n = smooth(0, 0.9f, drift) * 0.75f;
          shade = 1 + 0.03f * drift;
        } else {
          float patches = Noise.octaves(u, v * 1.4f, 2.2f, footprint, 4, 0.6f);
          float blades = Noise.octaves(u * 1.5f, v, 22, footprint * 1.4f, 3, 0.8f);
          n = smooth(-0.4f, 1, patches + 0.3f * blades);
          shade = 0.9f + 0.2f * blades;
        }
        float[] base = colour;
        if (water && !snow && y - tops[column] < sand) {
          base = wet;
          n = 0;
        }
        canvas.blend(
            column,
            row,
            shade * (base[0] + n * (second[0] - base[0])),
            shade * (base[1] + n * (second[1] - base[1])),
            shade * (base[2] + n * (second[2] - base[2])),
            alpha);
      }
    }
  }

  // ---- things

  private void boat() {
    Draws draws = Draws.of(scene.seed(), "boat");
    float size = draws.next(0.13f, 0.17f);
    float x = clearSide(draws);
    float y = draws.next(horizon + 0.075f, horizon + 0.12f);
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
    triangle(
        sail,
        x + facing * 0.04f * size,
        y - 1.04f * size,
        x + facing * 0.46f * size,
        deck - 0.05f * size,
        x + facing * 0.04f * size,
        deck - 0.05f * size);
    triangle(
        sail,
        x - facing * 0.04f * size,
        y - 0.9f * size,
        x - facing * 0.34f * size,
        deck - 0.05f * size,
        x - facing * 0.04f * size,
        deck - 0.05f * size);
  }

  /** Corners in any order. */
  private void triangle(
      float[] colour, float x0, float y0, float x1, float y1, float x2, float y2) {
    if ((x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0) > 0) {
      canvas.convex(colour, 1, x0, y0, x1, y1, x2, y2);
    } else {
      canvas.convex(colour, 1, x0, y0, x2, y2, x1, y1);
    }
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

  private void house() {
    Draws draws = Draws.of(scene.seed(), "house");
    float size = draws.next(0.15f, 0.19f);
    float x = clearSide(draws);
    float y = water ? shore + draws.next(0.06f, 0.1f) : draws.next(0.72f, 0.82f);
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
    quad(shaded, corner, eaves, farEnd, eaves, farEnd, y, corner, y);
    quad(wall, near, eaves, corner, eaves, corner, y, near, y);
    float gable = (near + corner) / 2;
    triangle(wall, near, eaves, corner, eaves, gable, ridge);
    quad(
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
    quad(
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
      quad(
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

  /** Four corners in order around, either way. */
  private void quad(float[] colour, float... c) {
    if ((c[2] - c[0]) * (c[5] - c[1]) - (c[3] - c[1]) * (c[4] - c[0]) > 0) {
      canvas.convex(colour, 1, c);
    } else {
      canvas.convex(colour, 1, c[6], c[7], c[4], c[5], c[2], c[3], c[0], c[1]);
    }
  }

  private void trees() {
    Draws draws = Draws.of(scene.seed(), "trees");
    boolean left = !scene.is(TREES_SIDE, "right");
    boolean right = !scene.is(TREES_SIDE, "left");
    for (int side = 0; side < 2; side++) {
      int count = 2 + draws.index(3);
      // from back to front
      for (int k = 0; k < count; k++) {
        // in the middle there is room for a house or a boat
        float across = draws.next(0.03f, left && right ? 0.2f : 0.3f) * canvas.aspect;
        float size = draws.next(0.85f, 1.15f) * (0.34f + 0.05f * k);
        float foot = 0.86f + 0.09f * (k + draws.next()) / count;
        float shape = draws.next();
        if (side == 0 ? left : right) {
          float x = side == 0 ? across : canvas.aspect - across;
          tree(x, foot, size, shape);
        }
      }
    }
  }

  private void tree(float x, float foot, float size, float shape) {
    switch (scene.label(TREES)) {
      case "pines" -> pine(x, foot, size * 1.12f, shape);
      case "birches" -> birch(x, foot, size * 1.08f, shape);
      case "oaks" -> oak(x, foot, size * 0.95f, shape);
      default -> palm(x, foot, size * 1.02f, shape);
    }
  }

  private float[] foliage(float r, float g, float b, float autumn) {
    if (scene.is(GROUND, "autumn")) {
      return palette.lit(
          r + autumn * (0.80f - r), g + autumn * (0.38f - g), b + autumn * (0.08f - b));
    }
    return palette.lit(r, g, b);
  }

  private void pine(float x, float foot, float size, float shape) {
    canvas.line(
        x, foot - 0.15f * size, x, foot, 0.018f * size, 0.024f * size, palette.lit(BARK), 1);
    float[] leaf = palette.lit(0.10f, 0.27f, 0.16f);
    boolean snow = scene.is(GROUND, "snow");
    float[] white = palette.lit(0.93f, 0.96f, 1);
    int lastRow = canvas.row(foot - 0.07f * size);
    for (int row = canvas.row(foot - size); row < lastRow; row++) {
      float v = (canvas.y(row) - foot + size) / size;
      float tier = v * 5.5f + shape;
      float fringe = tier - (float) Math.floor(tier);
      float half = 0.012f + 0.27f * v * (0.62f + 0.45f * fringe);
      int lastColumn = canvas.column(x + 1.25f * half * size + canvas.pixel);
      for (int column = canvas.column(x - 1.25f * half * size - canvas.pixel);
          column < lastColumn;
          column++) {
        float u = (canvas.x(column) - x) / size;
        float n = Noise.octaves(u + shape * 9, v, 17, canvas.pixel / size, 3, 0.7f);
        float inside = (half * (1 + 0.22f * n) - Math.abs(u)) * size;
        float alpha = canvas.coverage(inside * 0.9f);
        if (alpha > 0) {
          float s = 0.85f + 0.35f * n + 0.5f * light * u + 0.25f * (fringe - 0.5f);
          float cap = snow ? smooth(0.35f, 0.0f, fringe - 0.25f * n) * 0.8f : 0;
          canvas.blend(
              column,
              row,
              s * leaf[0] + cap * (white[0] - s * leaf[0]),
              s * leaf[1] + cap * (white[1] - s * leaf[1]),
              s * leaf[2] + cap * (white[2] - s * leaf[2]),
              alpha);
        }
      }
    }
  }

  private void birch(float x, float foot, float size, float shape) {
    float lean = (shape - 0.5f) * 0.12f * size;
    float[] bark = palette.lit(0.93f, 0.92f, 0.88f);
    float[] dark = palette.lit(0.16f, 0.15f, 0.15f);
    canvas.line(x + lean, foot - 0.9f * size, x, foot, 0.012f * size, 0.03f * size, bark, 1);
    for (int k = 0; k < 9; k++) {
      float t = 0.06f + 0.085f * k + 0.03f * shape;
      float px = x + lean * t + ((k * 7) % 3 - 1) * 0.009f * size;
      float py = foot - t * size;
      canvas.line(
          px - 0.011f * size, py, px + 0.011f * size, py, 0.006f * size, 0.006f * size, dark, 1);
    }
    crown(
        x + lean * 0.7f,
        foot - 0.70f * size,
        0.19f * size,
        0.30f * size,
        foliage(0.50f, 0.64f, 0.18f, 0.95f),
        0.55f,
        shape);
  }

  private void oak(float x, float foot, float size, float shape) {
    float[] bark = palette.lit(BARK);
    canvas.line(x, foot - 0.5f * size, x, foot, 0.03f * size, 0.05f * size, bark, 1);
    canvas.line(
        x,
        foot - 0.3f * size,
        x - 0.17f * size,
        foot - 0.55f * size,
        0.025f * size,
        0.012f * size,
        bark,
        1);
    canvas.line(
        x,
        foot - 0.35f * size,
        x + 0.18f * size,
        foot - 0.58f * size,
        0.025f * size,
        0.012f * size,
        bark,
        1);
    crown(
        x,
        foot - 0.68f * size,
        0.38f * size,
        0.32f * size,
        foliage(0.20f, 0.40f, 0.12f, 0.9f),
        0.25f,
        shape);
  }

  /** Leaves in an ellipse with a ragged edge and gaps, lit from the side of the sun. */
  private void crown(float x, float y, float rx, float ry, float[] leaf, float gaps, float shape) {
    boolean snow = scene.is(GROUND, "snow");
    float[] white = palette.lit(0.93f, 0.96f, 1);
    int lastRow = canvas.row(y + 1.3f * ry);
    int lastColumn = canvas.column(x + 1.3f * rx);
    for (int row = canvas.row(y - 1.3f * ry); row < lastRow; row++) {
      float v = (canvas.y(row) - y) / ry;
      for (int column = canvas.column(x - 1.3f * rx); column < lastColumn; column++) {
        float u = (canvas.x(column) - x) / rx;
        float d = u * u + v * v;
        if (d > 1.7f) {
          continue;
        }
        float n =
            Noise.octaves(canvas.x(column) + shape * 9, canvas.y(row), 26, canvas.pixel, 4, 0.75f);
        float inside = 1 - (float) Math.sqrt(d) + 0.22f * n;
        float hole = gaps * smooth(0.25f, 0.9f, -n);
        float alpha = clamp(inside * 0.6f * rx / canvas.pixel + 0.5f) * (1 - hole);
        if (alpha > 0) {
          float s = 0.88f + 0.30f * n + 0.22f * light * u - 0.22f * v;
          float cap = snow ? 0.8f * smooth(0.1f, 0.6f, -v + 0.5f * n) : 0;
          canvas.blend(
              column,
              row,
              s * leaf[0] + cap * (white[0] - s * leaf[0]),
              s * leaf[1] + cap * (white[1] - s * leaf[1]),
              s * leaf[2] + cap * (white[2] - s * leaf[2]),
              alpha);
        }
      }
    }
  }

  private void palm(float x, float foot, float size, float shape) {
    float[] bark = palette.lit(0.46f, 0.34f, 0.22f);
    float lean = (shape < 0.5f ? -1 : 1) * (0.10f + 0.12f * Math.abs(shape - 0.5f)) * size;
    float px = x;
    float py = foot;
    for (int k = 1; k <= 6; k++) {
      float t = k / 6f;
      float nx = x + lean * t * t;
      float ny = foot - 0.78f * size * t;
      canvas.line(
          px,
          py,
          nx,
          ny,
          (0.034f - 0.014f * (t - 0.17f)) * size,
          (0.034f - 0.014f * t) * size,
          bark,
          1);
      px = nx;
      py = ny;
    }
    for (int k = 0; k < 9; k++) {
      double angle = Math.PI * (-1.08 + 1.16 * (k + 0.5 * shape) / 8.5);
      float dx = (float) Math.cos(angle);
      float dy = (float) Math.sin(angle);
      float s = 0.8f + 0.25f * light * dx + (k % 2 == 0 ? 0.12f : -0.05f);
      float[] leaf = palette.lit(0.20f * s, 0.44f * s, 0.14f * s);
      float ax = px;
      float ay = py;
      for (int j = 1; j <= 5; j++) {
        float t = j / 5f;
        float bx = px + dx * 0.36f * size * t;
        float by = py + dy * 0.26f * size * t + 0.24f * size * t * t;
        float r0 = (0.012f + 0.026f * (1 - Math.abs(2 * (t - 0.2f) - 0.7f))) * size;
        float r1 = j == 5 ? 0.004f * size : (0.012f + 0.026f * (1 - Math.abs(2 * t - 0.7f))) * size;
        canvas.line(ax, ay, bx, by, r0, r1, leaf, 1);
        ax = bx;
        ay = by;
      }
    }
  }
}
