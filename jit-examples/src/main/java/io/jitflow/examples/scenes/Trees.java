package io.jitflow.examples.scenes;

import static io.jitflow.examples.scenes.Attribute.GROUND;
import static io.jitflow.examples.scenes.Attribute.TREES;
import static io.jitflow.examples.scenes.Attribute.TREES_SIDE;
import static io.jitflow.examples.scenes.Canvas.clamp;
import static io.jitflow.examples.scenes.Canvas.smooth;

/** The trees at one or both sides. */
final class Trees {
  private static final float[] BARK = {0.30f, 0.21f, 0.14f};

  private final View view;
  private final Scene scene;
  private final Canvas canvas;
  private final Palette palette;
  private final float[] snow;

  Trees(View view) {
    this.view = view;
    this.scene = view.scene();
    this.canvas = view.canvas();
    this.palette = view.palette();
    this.snow = palette.lit(0.93f, 0.96f, 1);
  }

  void draw() {
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
    boolean snowy = scene.is(GROUND, "snow");
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
          float s = 0.85f + 0.35f * n + 0.5f * view.light() * u + 0.25f * (fringe - 0.5f);
          float cap = snowy ? smooth(0.35f, 0.0f, fringe - 0.25f * n) * 0.8f : 0;
          leaf(column, row, leaf, s, cap, alpha);
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
    boolean snowy = scene.is(GROUND, "snow");
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
          float s = 0.88f + 0.30f * n + 0.22f * view.light() * u - 0.22f * v;
          float cap = snowy ? 0.8f * smooth(0.1f, 0.6f, -v + 0.5f * n) : 0;
          leaf(column, row, leaf, s, cap, alpha);
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
      float s = 0.8f + 0.25f * view.light() * dx + (k % 2 == 0 ? 0.12f : -0.05f);
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

  /** A leaf in view.light() of a strength, below some snow. */
  private void leaf(int column, int row, float[] colour, float s, float cap, float alpha) {
    canvas.blend(
        column,
        row,
        s * colour[0] + cap * (snow[0] - s * colour[0]),
        s * colour[1] + cap * (snow[1] - s * colour[1]),
        s * colour[2] + cap * (snow[2] - s * colour[2]),
        alpha);
  }
}
