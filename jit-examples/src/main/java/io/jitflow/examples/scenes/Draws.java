package io.jitflow.examples.scenes;

/**
 * Random numbers that depend on a seed and a name only, not on what was drawn before: changing one
 * attribute of a scene leaves the layout of everything else where it was.
 */
final class Draws {
  private long state;

  private Draws(long state) {
    this.state = state;
  }

  /** The stream for one purpose. */
  static Draws of(long seed, String purpose) {
    return new Draws(mix(seed * 0x9e3779b97f4a7c15L + purpose.hashCode()));
  }

  /** SplitMix64 (Steele, Lea, Flood 2014). */
  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    long b = (a ^ (a >>> 27)) * 0x94d049bb133111ebL;
    return b ^ (b >>> 31);
  }

  /** Uniform in [0, 1). */
  float next() {
    state += 0x9e3779b97f4a7c15L;
    return (mix(state) >>> 40) * 0x1p-24f;
  }

  /** Uniform in [low, high). */
  float next(float low, float high) {
    return low + (high - low) * next();
  }

  /** Uniform in 0 to count - 1. */
  int index(int count) {
    return Math.min((int) (next() * count), count - 1);
  }

  /** One of the positions, in proportion to its weight. */
  int weighted(float... weights) {
    float total = 0;
    for (float weight : weights) {
      total += weight;
    }
    float left = next() * total;
    for (int i = 0; i < weights.length - 1; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
    }
    return weights.length - 1;
  }
}
