package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.BODY;
import static io.jitflow.examples.scenes.Attribute.GROUND;
import static io.jitflow.examples.scenes.Attribute.MOUNTAINS;
import static io.jitflow.examples.scenes.Attribute.WATER;
import static io.jitflow.examples.scenes.Canvas.clamp;
import static io.jitflow.examples.scenes.Canvas.smooth;

/** What lies between the sky and the viewer. */
final class Land {
  private final View view;
  private final Scene scene;
  private final Canvas canvas;
  private final Palette palette;

  Land(View view) {
    this.view = view;
    this.scene = view.scene();
    this.canvas = view.canvas();
    this.palette = view.palette();
  }

  void mountains() {
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
    // a strip of far land joins mountains and view.water(); the sea has none
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
    int lastRow = Math.min(canvas.height, canvas.row(view.horizon()) + 1);
    float step = 0.012f;
    for (int column = 0; column < canvas.width; column++) {
      float x = canvas.x(column) + shift;
      float crest = crest(hills, x, height * scale);
      float slope = (crest(hills, x + canvas.pixel, height * scale) - crest) / canvas.pixel;
      float steep = 1 / (float) Math.sqrt(1 + slope * slope);
      for (int row = canvas.row(view.horizon() - crest - 2 * canvas.pixel); row < lastRow; row++) {
        float y = canvas.y(row);
        float alpha = canvas.coverage((y - view.horizon() + crest) * steep);
        if (alpha <= 0) {
          continue;
        }
        float r;
        float g;
        float b;
        if (hills) {
          float n = Noise.octaves(x, y * 2, 14, canvas.pixel * 2, 4, 0.65f);
          float s = 0.92f + 0.16f * n + view.light() * slope * -0.12f;
          r = rock[0] * s;
          g = rock[1] * s;
          b = rock[2] * s;
        } else {
          float here = Noise.ridges(x + y * 0.3f, y * 0.8f, 7, canvas.pixel, 5, 0.6f);
          float there =
              Noise.ridges(x + view.light() * step + y * 0.3f, y * 0.8f, 7, canvas.pixel, 5, 0.6f);
          float s = clamp(0.85f + 1.9f * (here - there)) + 0.15f;
          float cap = 0;
          if (snowy) {
            float below = (y - view.horizon() + crest) / (height * scale);
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
    float shift = view.offset() * 1.7f;
    for (int column = 0; column < canvas.width; column++) {
      float x = canvas.x(column);
      float top =
          view.horizon()
              - 0.012f
              - 0.012f * (1 + Noise.octaves(x + shift, 1.5f, 6, canvas.pixel, 4, 0.5f));
      int last = Math.min(canvas.height, canvas.row(view.horizon()) + 1);
      for (int row = canvas.row(top - canvas.pixel); row < last; row++) {
        float s = 0.72f + 0.12f * Noise.at(x * 60 + view.offset(), canvas.y(row) * 90);
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

  void water() {
    boolean sea = scene.is(WATER, "sea");
    float[] deep = palette.water(sea);
    float[] glint = scene.is(BODY, "sun") ? palette.sun : new float[] {0.9f, 0.92f, 0.88f};
    boolean shining = !scene.is(BODY, "none");
    int first = canvas.row(view.horizon());
    for (int row = first; row < canvas.height; row++) {
      float y = canvas.y(row);
      float depth = Math.max(y - view.horizon(), 0) + 0.012f;
      if (depth > view.shore() - view.horizon() + 0.08f) {
        // the ground covers the rest
        break;
      }
      float across = 1 / depth;
      float footprint = canvas.pixel * across * 1.4f;
      float alpha = canvas.coverage(y - view.horizon());
      float mirrored = view.horizon() - (y - view.horizon()) * 1.05f;
      float tint = sea ? 0.62f : 0.22f + 0.5f * depth;
      for (int column = 0; column < canvas.width; column++) {
        float x = canvas.x(column);
        float wave =
            Noise.octaves(
                (x - canvas.aspect / 2) * across * 0.5f + view.offset(),
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
          float away = (x - view.bodyX()) / (0.03f + 0.35f * depth);
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

  void mist() {
    float[] colour = palette.mist;
    float middle = view.horizon() + 0.01f;
    int last = canvas.row(middle + 0.24f);
    for (int row = canvas.row(middle - 0.24f); row < last; row++) {
      float y = canvas.y(row);
      for (int column = 0; column < canvas.width; column++) {
        float n =
            Noise.octaves(
                canvas.x(column) + view.offset(), y * 3.5f, 2.5f, canvas.pixel * 3, 4, 0.5f);
        float t = (y - middle - 0.05f * n) / 0.095f;
        canvas.blend(column, row, colour, 0.88f * (float) Math.exp(-t * t));
      }
    }
  }

  private float[] groundColour() {
    return switch (scene.label(GROUND)) {
      case "meadow" -> palette.grass;
      case "autumn" -> palette.lit(0.70f, 0.47f, 0.17f);
      case "dunes" -> palette.lit(0.90f, 0.76f, 0.52f);
      default -> palette.lit(0.90f, 0.94f, 1f);
    };
  }

  private float groundTop(float x) {
    if (!view.water()) {
      return view.horizon();
    }
    return view.shore()
        + 0.045f * Noise.octaves(x + view.offset() * 2.3f, 4.4f, 1.6f, canvas.pixel, 5, 0.5f);
  }

  void ground() {
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
      float depth = y - view.horizon() + 0.06f;
      float across = 0.45f / depth;
      float footprint = canvas.pixel * across * 1.5f;
      for (int column = 0; column < canvas.width; column++) {
        float alpha = canvas.coverage(y - tops[column]);
        if (alpha <= 0) {
          continue;
        }
        float u = (canvas.x(column) - canvas.aspect / 2) * across + view.offset();
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
        if (view.water() && !snow && y - tops[column] < sand) {
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
}
