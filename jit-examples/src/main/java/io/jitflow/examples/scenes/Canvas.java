package io.jitflow.examples.scenes;

/**
 * A picture as floats, with the few shapes that a landscape needs, all of them anti-aliased.
 *
 * <p>Coordinates are in units of the picture's height: x from 0 to the aspect ratio, y from 0 at
 * the top to 1. A shape covers a pixel as far as its signed distance to the pixel's centre says.
 */
final class Canvas {
  final int width;
  final int height;
  final float pixel;
  final float aspect;
  final float[] rgb;

  Canvas(int width, int height) {
    this.width = width;
    this.height = height;
    this.pixel = 1f / height;
    this.aspect = (float) width / height;
    this.rgb = new float[width * height * 3];
  }

  float x(int column) {
    return (column + 0.5f) * pixel;
  }

  float y(int row) {
    return (row + 0.5f) * pixel;
  }

  int column(float x) {
    return Math.max(0, Math.min(width, (int) Math.floor(x / pixel)));
  }

  int row(float y) {
    return Math.max(0, Math.min(height, (int) Math.floor(y / pixel)));
  }

  /** How much of a pixel lies inside, by the distance of its centre from the edge. */
  float coverage(float distance) {
    return clamp(distance / pixel + 0.5f);
  }

  static float clamp(float v) {
    return v < 0 ? 0 : v > 1 ? 1 : v;
  }

  /** 0 up to {@code low}, 1 from {@code high}, smooth between. */
  static float smooth(float low, float high, float v) {
    float t = clamp((v - low) / (high - low));
    return t * t * (3 - 2 * t);
  }

  void blend(int column, int row, float r, float g, float b, float alpha) {
    if (alpha <= 0) {
      return;
    }
    int i = (row * width + column) * 3;
    rgb[i] += alpha * (r - rgb[i]);
    rgb[i + 1] += alpha * (g - rgb[i + 1]);
    rgb[i + 2] += alpha * (b - rgb[i + 2]);
  }

  void blend(int column, int row, float[] colour, float alpha) {
    blend(column, row, colour[0], colour[1], colour[2], alpha);
  }

  /** A line with round ends, its half width going from r0 to r1. */
  void line(
      float x0, float y0, float x1, float y1, float r0, float r1, float[] colour, float alpha) {
    float margin = Math.max(r0, r1) + pixel;
    int left = column(Math.min(x0, x1) - margin);
    int right = column(Math.max(x0, x1) + margin + pixel);
    int top = row(Math.min(y0, y1) - margin);
    int bottom = row(Math.max(y0, y1) + margin + pixel);
    float dx = x1 - x0;
    float dy = y1 - y0;
    float length = Math.max(dx * dx + dy * dy, 1e-12f);
    for (int row = top; row < bottom; row++) {
      for (int column = left; column < right; column++) {
        float px = x(column) - x0;
        float py = y(row) - y0;
        float t = clamp((px * dx + py * dy) / length);
        float ex = px - t * dx;
        float ey = py - t * dy;
        float r = r0 + t * (r1 - r0);
        // a line thinner than a pixel gets fainter, not thinner
        float shown = Math.max(r, pixel / 2);
        float distance = shown - (float) Math.sqrt(ex * ex + ey * ey);
        blend(column, row, colour, alpha * coverage(distance) * r / shown);
      }
    }
  }

  /** A convex polygon, corners clockwise: x0, y0, x1, y1 and so on. */
  void convex(float[] colour, float alpha, float... corners) {
    float left = corners[0];
    float right = corners[0];
    float top = corners[1];
    float bottom = corners[1];
    int n = corners.length / 2;
    float[] nx = new float[n];
    float[] ny = new float[n];
    for (int k = 0; k < n; k++) {
      float x0 = corners[2 * k];
      float y0 = corners[2 * k + 1];
      float x1 = corners[2 * ((k + 1) % n)];
      float y1 = corners[2 * ((k + 1) % n) + 1];
      float length = (float) Math.hypot(x1 - x0, y1 - y0);
      nx[k] = -(y1 - y0) / length;
      ny[k] = (x1 - x0) / length;
      left = Math.min(left, x0);
      right = Math.max(right, x0);
      top = Math.min(top, y0);
      bottom = Math.max(bottom, y0);
    }
    int lastRow = row(bottom + 2 * pixel);
    int lastColumn = column(right + 2 * pixel);
    for (int row = row(top - pixel); row < lastRow; row++) {
      for (int column = column(left - pixel); column < lastColumn; column++) {
        float inside = Float.MAX_VALUE;
        for (int k = 0; k < n; k++) {
          float d = (x(column) - corners[2 * k]) * nx[k] + (y(row) - corners[2 * k + 1]) * ny[k];
          inside = Math.min(inside, d);
        }
        blend(column, row, colour, alpha * coverage(inside));
      }
    }
  }

  /** A triangle, corners in any order. */
  void triangle(float[] colour, float x0, float y0, float x1, float y1, float x2, float y2) {
    if ((x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0) > 0) {
      convex(colour, 1, x0, y0, x1, y1, x2, y2);
    } else {
      convex(colour, 1, x0, y0, x2, y2, x1, y1);
    }
  }

  /** A convex quadrangle, corners in order around, either way. */
  void quad(float[] colour, float... c) {
    if ((c[2] - c[0]) * (c[5] - c[1]) - (c[3] - c[1]) * (c[4] - c[0]) > 0) {
      convex(colour, 1, c);
    } else {
      convex(colour, 1, c[6], c[7], c[4], c[5], c[2], c[3], c[0], c[1]);
    }
  }

  /** The picture as bytes, red, green, blue, row by row. */
  byte[] bytes() {
    byte[] bytes = new byte[rgb.length];
    for (int i = 0; i < rgb.length; i++) {
      bytes[i] = (byte) (int) (clamp(rgb[i]) * 255 + 0.5f);
    }
    return bytes;
  }
}
