package io.jitflow.examples.scenes;

/** Value noise from a fixed table of 256 x 256, and sums of its octaves that never alias. */
final class Noise {
  private static final int MASK = 255;
  private static final float[] TABLE = new float[(MASK + 1) * (MASK + 1)];

  static {
    Draws draws = Draws.of(1, "noise");
    for (int i = 0; i < TABLE.length; i++) {
      TABLE[i] = draws.next(-1, 1);
    }
  }

  private Noise() {}

  /** Smooth noise in [-1, 1] with one value per unit. */
  static float at(float x, float y) {
    int ix = (int) x - (x < 0 ? 1 : 0);
    int iy = (int) y - (y < 0 ? 1 : 0);
    float u = x - ix;
    float v = y - iy;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    int top = (iy & MASK) << 8;
    int bottom = ((iy + 1) & MASK) << 8;
    int left = ix & MASK;
    int right = (ix + 1) & MASK;
    float a = TABLE[top + left];
    float b = TABLE[bottom + left];
    a += u * (TABLE[top + right] - a);
    b += u * (TABLE[bottom + right] - b);
    return a + v * (b - a);
  }

  /**
   * Octaves of noise, each twice as fine and {@code gain} times as strong as the one before; those
   * finer than two pixels are left out, so that a larger picture has more detail and none aliases.
   *
   * @param frequency values per unit in the first octave
   * @param pixel the size of a pixel in the same units
   */
  static float octaves(float x, float y, float frequency, float pixel, int most, float gain) {
    float sum = 0;
    float amplitude = 1;
    float f = frequency;
    for (int k = 0; k < most; k++) {
      float strength = 2 - 4 * f * pixel;
      if (strength <= 0) {
        break;
      }
      sum += amplitude * Math.min(strength, 1) * at(x * f + 19.7f * k, y * f + 7.3f * k);
      amplitude *= gain;
      f *= 2.03f;
    }
    return sum;
  }

  /** The same with creases: high at ridges; about 0 to 1 for gain 0.5. */
  static float ridges(float x, float y, float frequency, float pixel, int most, float gain) {
    float sum = 0;
    float amplitude = 0.5f;
    float f = frequency;
    for (int k = 0; k < most; k++) {
      float strength = 2 - 4 * f * pixel;
      if (strength <= 0) {
        break;
      }
      float n = 1 - Math.abs(at(x * f + 31.1f * k, y * f + 11.9f * k)) * 1.6f;
      sum += amplitude * Math.min(strength, 1) * n;
      amplitude *= gain;
      f *= 2.03f;
    }
    return sum;
  }
}
