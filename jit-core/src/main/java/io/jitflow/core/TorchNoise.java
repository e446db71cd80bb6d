package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.check.Checks;

/**
 * The normal numbers of {@code torch.Generator("cpu").manual_seed(seed)} and {@code torch.randn},
 * draw after draw, up to the last digits (4e-6 in float32).
 *
 * <p>One instance is one generator: private, without global state, not thread-safe.
 */
/*
 * PyTorch's CPU generator is the 32-bit Mersenne twister MT19937 (Matsumoto, Nishimura 1998) seeded
 * with the low 32 bits of the seed. Normal numbers come by Box and Muller, in three ways:
 *   16 or more float32:   one 24-bit uniform per element; each block of 16 turns its first 8 (radius)
 *                         and last 8 (angle) uniforms into 16 normals. If 16 does not divide n, 16
 *                         new uniforms are drawn and the last 16 elements are made of them.
 *   16 or more, 2 bytes:  the same, but the uniforms of each block are drawn block by block, so that
 *                         only the last block, if 16 does not divide n, differs.
 *   fewer than 16:        per pair two 53-bit uniforms in float64; the second normal of a pair is kept
 *                         for the next element, across draws.
 */
public final class TorchNoise {
  private static final int SIZE = 624;
  private static final int SHIFT = 397;
  private static final int BLOCK = 16;

  private final int[] state = new int[SIZE];
  private int next = SIZE;
  private double kept = Double.NaN;

  /** The number type that PyTorch is asked for; it decides which uniforms make which element. */
  public enum Precision {
    /** {@code torch.float32}. */
    FLOAT32,
    /** {@code torch.float16}; values are rounded to it. */
    FLOAT16,
    /** {@code torch.bfloat16}; values are rounded to it. */
    BFLOAT16
  }

  /**
   * Makes a generator.
   *
   * @param seed the seed; PyTorch's CPU generator uses its low 32 bits
   */
  public TorchNoise(long seed) {
    state[0] = (int) seed;
    for (int i = 1; i < SIZE; i++) {
      state[i] = 1812433253 * (state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    }
  }

  /**
   * Draws {@code torch.randn(count)} in float32.
   *
   * @param count how many numbers, 0 or more
   * @return the numbers
   */
  public float[] draw(int count) {
    return draw(count, Precision.FLOAT32);
  }

  /**
   * Draws {@code torch.randn(count, dtype=precision)}.
   *
   * @param count how many numbers, 0 or more
   * @param precision the number type
   * @return the numbers, widened to float32
   * @throws IllegalArgumentException if count is negative
   */
  public float[] draw(int count, Precision precision) {
    Checks.argument(count >= 0, "the count must be at least 0, got %s", count);
    float[] values = new float[count];
    if (count < BLOCK) {
      for (int i = 0; i < count; i++) {
        values[i] = round((float) nextPaired(), precision);
      }
      return values;
    }
    int complete = count / BLOCK * BLOCK;
    int uniforms = precision == Precision.FLOAT32 ? count : complete;
    for (int i = 0; i < uniforms; i++) {
      values[i] = nextUniform();
    }
    for (int block = 0; block < complete; block += BLOCK) {
      toNormals(values, block);
    }
    if (complete < count) {
      int last = count - BLOCK;
      for (int i = last; i < count; i++) {
        values[i] = nextUniform();
      }
      toNormals(values, last);
    }
    for (int i = 0; i < count; i++) {
      values[i] = round(values[i], precision);
    }
    return values;
  }

  /**
   * Draws an array.
   *
   * @param manager the owner of the result; its device is used
   * @param shape the shape, of fewer than 2<sup>31</sup> elements
   * @return normal numbers, FLOAT32
   */
  public NDArray draw(NDManager manager, Shape shape) {
    return manager.create(draw(Math.toIntExact(shape.size())), shape);
  }

  private static void toNormals(float[] values, int block) {
    for (int j = block; j < block + BLOCK / 2; j++) {
      double radius = Math.sqrt(-2 * Math.log(1 - values[j]));
      double angle = 2 * Math.PI * values[j + BLOCK / 2];
      values[j] = (float) (radius * Math.cos(angle));
      values[j + BLOCK / 2] = (float) (radius * Math.sin(angle));
    }
  }

  private double nextPaired() {
    if (!Double.isNaN(kept)) {
      double value = kept;
      kept = Double.NaN;
      return value;
    }
    double turn = nextUniform53();
    double radius = Math.sqrt(-2 * Math.log1p(-nextUniform53()));
    double angle = 2 * Math.PI * turn;
    kept = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  private float nextUniform() {
    return (nextInt() & 0xFFFFFF) * 0x1p-24f;
  }

  private double nextUniform53() {
    long high = nextInt() & 0xFFFFFFFFL;
    long low = nextInt() & 0xFFFFFFFFL;
    return ((high << 32 | low) & ((1L << 53) - 1)) * 0x1p-53;
  }

  private int nextInt() {
    if (next == SIZE) {
      twist();
    }
    int y = state[next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return y ^ (y >>> 18);
  }

  private void twist() {
    for (int i = 0; i < SIZE; i++) {
      int y = (state[i] & 0x80000000) | (state[(i + 1) % SIZE] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % SIZE] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
    }
    next = 0;
  }

  private static float round(float value, Precision precision) {
    return switch (precision) {
      case FLOAT32 -> value;
      case BFLOAT16 -> {
        int bits = Float.floatToRawIntBits(value);
        int rounded = bits + 0x7FFF + ((bits >>> 16) & 1); // to nearest, ties to even
        yield Float.intBitsToFloat(rounded & 0xFFFF0000);
      }
      case FLOAT16 -> {
        // 11 significant bits, fewer below 2^-14; |value| stays far below the overflow at 65504
        int exponent = Math.max(Math.getExponent(value), -14);
        float unit = Math.scalb(1f, exponent - 10);
        yield (float) (Math.rint(value / unit) * unit);
      }
    };
  }
}
