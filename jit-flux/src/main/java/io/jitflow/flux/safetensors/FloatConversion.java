package io.jitflow.flux.safetensors;

import io.jitflow.core.check.Checks;
import io.jitflow.flux.weights.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Converts elements between BF16, F16 and F32, and from types of one byte to these.
 *
 * <p>Widening is exact. Narrowing rounds to nearest, ties to even; values too small become
 * subnormal numbers or zero. Infinities and NaN stay what they are. A finite value beyond the
 * target's largest one is not converted: it is reported. The loops run over arrays so that the
 * compiler can vectorise them.
 *
 * <p>Holds scratch space: one instance per thread.
 */
public final class FloatConversion {
  /** The most elements that one call of {@link #convert} takes. */
  public static final int CHUNK = 16 * 1024;

  private static final int ABS = 0x7fff_ffff;
  private static final int INFINITY = 0x7f80_0000;
  private static final float TWO_TO_112 = 0x1p112f;

  private final DType from;
  private final DType to;
  private final int[] bits = new int[CHUNK];
  private final short[] halves = new short[CHUNK];

  /** The bits of the F32 of each byte; empty for wider types. */
  private final int[] ofByte;

  /**
   * Prepares a conversion.
   *
   * @param from BF16, F16, F32, or a type that {@link #isByte} knows
   * @param to BF16, F16 or F32
   * @throws IllegalArgumentException if a type is another
   */
  public FloatConversion(DType from, DType to) {
    if (!isByte(from)) {
      requireFloat(from);
    }
    requireFloat(to);
    this.from = from;
    this.to = to;
    this.ofByte = isByte(from) ? table(from) : new int[0];
  }

  /**
   * Tells whether a type is converted here.
   *
   * @param dtype any type
   * @return true for BF16, F16 and F32
   */
  public static boolean supports(DType dtype) {
    return dtype == DType.BF16 || dtype == DType.F16 || dtype == DType.F32;
  }

  /**
   * Tells whether a type is one in which 8-bit weights are published.
   *
   * @return true for F8_E4M3, F8_E5M2 and I8, which can be converted from
   */
  public static boolean isByte(DType dtype) {
    return dtype == DType.F8_E4M3 || dtype == DType.F8_E5M2 || dtype == DType.I8;
  }

  private static int[] table(DType dtype) {
    int[] table = new int[1 << Byte.SIZE];
    for (int i = 0; i < table.length; i++) {
      float value =
          switch (dtype) {
            case I8 -> (byte) i;
            case F8_E5M2 -> ofBits(i, 2, 15, true);
            default -> ofBits(i, 3, 7, false);
          };
      table[i] = Float.floatToRawIntBits(value);
    }
    return table;
  }

  /**
   * An 8-bit float; without infinities, all ones is NaN and the rest of that exponent is finite.
   */
  private static float ofBits(int bits, int mantissaBits, int bias, boolean infinities) {
    int mantissa = bits & ((1 << mantissaBits) - 1);
    int exponent = (bits & 0x7f) >> mantissaBits;
    int largest = 0x7f >> mantissaBits;
    float sign = bits < 0x80 ? 1 : -1;
    if (exponent == largest && (infinities || (bits & 0x7f) == 0x7f)) {
      return infinities && mantissa == 0 ? sign * Float.POSITIVE_INFINITY : Float.NaN;
    }
    return exponent == 0
        ? sign * Math.scalb((float) mantissa, 1 - bias - mantissaBits)
        : sign
            * Math.scalb((float) (mantissa + (1 << mantissaBits)), exponent - bias - mantissaBits);
  }

  private static void requireFloat(DType dtype) {
    Checks.argument(supports(dtype), "expected BF16, F16 or F32, got %s", dtype);
  }

  /**
   * Returns the largest finite value of a type.
   *
   * @param dtype BF16, F16 or F32
   * @return the value
   */
  public static float largest(DType dtype) {
    return switch (dtype) {
      case F16 -> 65504f;
      case BF16 -> 0x1.fep127f;
      default -> Float.MAX_VALUE;
    };
  }

  /**
   * Converts at most {@link #CHUNK} elements.
   *
   * @param in its remaining bytes are read
   * @param out takes the result at its position, which advances
   * @return index of the first element that does not fit, or -1 if all fit
   */
  public int convert(ByteBuffer in, ByteBuffer out) {
    int count = in.remaining() / from.byteSize();
    ByteBuffer source = in.slice().order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.limit());
    if (from == DType.F32) {
      source.asIntBuffer().get(bits, 0, count);
    } else if (ofByte.length > 0) {
      for (int i = 0; i < count; i++) {
        bits[i] = ofByte[source.get(i) & 0xff];
      }
    } else {
      source.asShortBuffer().get(halves, 0, count);
      if (from == DType.BF16) {
        widenBf16(halves, bits, count);
      } else {
        widenF16(halves, bits, count);
      }
    }
    ByteBuffer target = out.slice().order(ByteOrder.LITTLE_ENDIAN);
    int misfit = -1;
    if (to == DType.F32) {
      target.asIntBuffer().put(bits, 0, count);
    } else {
      boolean fits =
          to == DType.BF16 ? narrowToBf16(bits, halves, count) : narrowToF16(bits, halves, count);
      misfit = fits ? -1 : firstMisfit(count);
      target.asShortBuffer().put(halves, 0, count);
    }
    out.position(out.position() + count * to.byteSize());
    return misfit;
  }

  /**
   * Returns an element of the last chunk as it was before conversion.
   *
   * @param index which one
   * @return its value
   */
  public float value(int index) {
    return Float.intBitsToFloat(bits[index]);
  }

  private int firstMisfit(int count) {
    int limit = misfitLimit(to);
    for (int i = 0; i < count; i++) {
      int abs = bits[i] & ABS;
      if (abs >= limit && abs < INFINITY) {
        return i;
      }
    }
    throw new AssertionError("no misfit found");
  }

  /** Bits of the smallest F32 that rounds to infinity: halfway above the largest value. */
  private static int misfitLimit(DType to) {
    return to == DType.F16 ? 0x477f_f000 : 0x7f7f_8000;
  }

  static void widenBf16(short[] in, int[] out, int count) {
    for (int i = 0; i < count; i++) {
      out[i] = in[i] << 16;
    }
  }

  /** Exponents are rebased by a multiplication, which normalises subnormal numbers as well. */
  static void widenF16(short[] in, int[] out, int count) {
    for (int i = 0; i < count; i++) {
      int abs = in[i] & 0x7fff;
      int finite = Float.floatToRawIntBits(Float.intBitsToFloat(abs << 13) * TWO_TO_112);
      int special = ((0x7bff - abs) >> 31) & INFINITY;
      out[i] = finite | special | signOf(in[i]);
    }
  }

  private static int signOf(short half) {
    return (half & 0x8000) << 16;
  }

  /** Adds just below half a unit plus the last kept bit, so that a tie goes to even. */
  static boolean narrowToBf16(int[] in, short[] out, int count) {
    int misfits = 0;
    for (int i = 0; i < count; i++) {
      int value = in[i];
      int abs = value & ABS;
      int nan = (INFINITY - abs) >> 31;
      int rounded = value + 0x7fff + ((value >>> 16) & 1);
      misfits |= (0x7f7f_7fff - abs) & (abs - INFINITY);
      out[i] = (short) (((rounded & ~nan) | ((value | 0x0040_0000) & nan)) >>> 16);
    }
    return misfits >= 0;
  }

  static boolean narrowToF16(int[] in, short[] out, int count) {
    int misfits = 0;
    for (int i = 0; i < count; i++) {
      int value = in[i];
      int abs = value & ABS;
      misfits |= (0x477f_efff - abs) & (abs - INFINITY);
      out[i] = (short) (((value >>> 16) & 0x8000) | f16Magnitude(abs));
    }
    return misfits >= 0;
  }

  private static int f16Magnitude(int abs) {
    if (abs >= INFINITY) {
      return abs == INFINITY ? 0x7c00 : 0x7e00 | ((abs >>> 13) & 0x3ff);
    }
    if (abs >= 0x477f_f000) {
      return 0x7c00;
    }
    if (abs < 0x3880_0000) {
      // below 2^-14: adding 0.5 shifts the subnormal's unit, 2^-24, to the last bit
      return Float.floatToRawIntBits(Float.intBitsToFloat(abs) + 0.5f) - 0x3f00_0000;
    }
    return (abs - 0x3800_0000 + 0xfff + ((abs >>> 13) & 1)) >>> 13;
  }
}
