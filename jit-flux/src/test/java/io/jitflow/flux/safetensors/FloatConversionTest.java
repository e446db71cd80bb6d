package io.jitflow.flux.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.weights.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** Every 16-bit value, and every point where rounding changes. */
class FloatConversionTest {
  private static final int ALL = 1 << 16;

  private static ByteBuffer allHalves() {
    ByteBuffer in = ByteBuffer.allocateDirect(ALL * 2).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < ALL; i++) {
      in.putShort((short) i);
    }
    return in.flip();
  }

  private static ByteBuffer convert(DType from, DType to, ByteBuffer in) {
    FloatConversion conversion = new FloatConversion(from, to);
    int count = in.remaining() / from.byteSize();
    ByteBuffer out = ByteBuffer.allocate(count * to.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      int bytes = Math.min(in.remaining(), FloatConversion.CHUNK * from.byteSize());
      assertThat(conversion.convert(in.slice(in.position(), bytes), out)).isEqualTo(-1);
      in.position(in.position() + bytes);
    }
    return out.flip();
  }

  private static ByteBuffer floats(float... values) {
    ByteBuffer in = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      in.putFloat(value);
    }
    return in.flip();
  }

  /** The value of an F16 by its definition. */
  private static float f16(int bits) {
    int exponent = (bits >> 10) & 0x1f;
    int fraction = bits & 0x3ff;
    double magnitude;
    if (exponent == 0x1f) {
      magnitude = fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
    } else if (exponent == 0) {
      magnitude = Math.scalb((double) fraction, -24);
    } else {
      magnitude = Math.scalb(1 + fraction / 1024.0, exponent - 15);
    }
    return (float) ((bits & 0x8000) == 0 ? magnitude : -magnitude);
  }

  private static void assertSameFloat(float actual, float expected, int bits) {
    if (Float.isNaN(expected)) {
      assertThat(actual).as("0x%04x", bits).isNaN();
    } else {
      assertThat(Float.floatToIntBits(actual))
          .as("0x%04x", bits)
          .isEqualTo(Float.floatToIntBits(expected));
    }
  }

  @Test
  void f16ToF32_everyValue_isExact() {
    ByteBuffer out = convert(DType.F16, DType.F32, allHalves());
    for (int i = 0; i < ALL; i++) {
      assertSameFloat(out.getFloat(), f16(i), i);
    }
  }

  @Test
  void bf16ToF32_everyValue_isExact() {
    ByteBuffer out = convert(DType.BF16, DType.F32, allHalves());
    for (int i = 0; i < ALL; i++) {
      assertThat(out.getInt()).isEqualTo(i << 16);
    }
  }

  @Test
  void f16AndBf16_everyValueThroughF32_comesBack() {
    for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
      ByteBuffer wide = convert(dtype, DType.F32, allHalves());
      ByteBuffer back = convert(DType.F32, dtype, wide.duplicate().order(ByteOrder.LITTLE_ENDIAN));
      for (int i = 0; i < ALL; i++) {
        int bits = back.getShort() & 0xffff;
        if (Float.isNaN(wide.getFloat(i * 4))) {
          assertThat(Float.isNaN(value(dtype, bits))).as("%s 0x%04x", dtype, i).isTrue();
        } else {
          assertThat(bits).as("%s 0x%04x", dtype, i).isEqualTo(i);
        }
      }
    }
  }

  private static float value(DType dtype, int bits) {
    return dtype == DType.F16 ? f16(bits) : Float.intBitsToFloat(bits << 16);
  }

  /** Between neighbours a and b: below the middle to a, above it to b, in the middle to even. */
  private static void assertRoundsToNearestEven(DType dtype, int largest) {
    float[] inputs = new float[6 * largest];
    int[] expected = new int[inputs.length];
    int n = 0;
    for (int a = 0; a < largest; a++) {
      float low = value(dtype, a);
      float high = value(dtype, a + 1);
      float middle = (float) (((double) low + high) / 2);
      assertThat((double) middle).isEqualTo(((double) low + high) / 2);
      float[] points = {Math.nextDown(middle), middle, Math.nextUp(middle)};
      int[] results = {a, a % 2 == 0 ? a : a + 1, a + 1};
      for (int i = 0; i < 3; i++) {
        inputs[n] = points[i];
        expected[n++] = results[i];
        inputs[n] = -points[i];
        expected[n++] = results[i] | 0x8000;
      }
    }
    ByteBuffer out = convert(DType.F32, dtype, floats(inputs));
    for (int i = 0; i < inputs.length; i++) {
      assertThat(out.getShort() & 0xffff).as("%s of %s", dtype, inputs[i]).isEqualTo(expected[i]);
    }
  }

  @Test
  void f32ToF16_aroundEveryMiddle_roundsToNearestEven() {
    assertRoundsToNearestEven(DType.F16, 0x7bff);
  }

  @Test
  void f32ToBf16_aroundEveryMiddle_roundsToNearestEven() {
    assertRoundsToNearestEven(DType.BF16, 0x7f7f);
  }

  @Test
  void bf16ToF16_everyValueInRange_roundsLikeF32() {
    ByteBuffer in = ByteBuffer.allocate(ALL * 2).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer wide = ByteBuffer.allocate(ALL * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < ALL; i++) {
      float value = Float.intBitsToFloat(i << 16);
      if (Math.abs(value) <= 65504) {
        in.putShort((short) i);
        wide.putFloat(value);
      }
    }
    assertThat(convert(DType.BF16, DType.F16, in.flip()))
        .isEqualTo(convert(DType.F32, DType.F16, wide.flip()));
  }

  @Test
  void narrowing_infinityAndNan_stay() {
    float[] special = {
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.NaN,
      Float.intBitsToFloat(0x7f800001),
      Float.intBitsToFloat(0xffffffff)
    };
    for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
      ByteBuffer out = convert(DType.F32, dtype, floats(special));
      for (float expected : special) {
        assertSameFloat(value(dtype, out.getShort() & 0xffff), expected, 0);
      }
    }
  }

  @Test
  void narrowing_beyondTheRange_isReported() {
    assertMisfit(DType.F16, 65519.996f, Math.nextUp(65519.996f));
    assertMisfit(DType.F16, -65519.996f, -1e30f);
    assertMisfit(DType.BF16, Float.intBitsToFloat(0x7f7f7fff), Float.intBitsToFloat(0x7f7f8000));
    assertMisfit(DType.BF16, Float.NEGATIVE_INFINITY, -Float.MAX_VALUE);
  }

  private static void assertMisfit(DType dtype, float fits, float misfit) {
    FloatConversion conversion = new FloatConversion(DType.F32, dtype);
    ByteBuffer out = ByteBuffer.allocate(64);
    assertThat(conversion.convert(floats(0, fits, 1), out)).isEqualTo(-1);
    assertThat(conversion.convert(floats(0, fits, misfit, 1, misfit), out)).isEqualTo(2);
    assertThat(conversion.value(2)).isEqualTo(misfit);
  }

  @Test
  void create_otherTypes_isRefused() {
    assertThatThrownBy(() -> new FloatConversion(DType.I16, DType.F32))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("expected BF16, F16 or F32, got I16");
    assertThatThrownBy(() -> new FloatConversion(DType.F32, DType.F8_E4M3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("expected BF16, F16 or F32, got F8_E4M3");
  }

  private static float[] everyByte(DType from) {
    ByteBuffer in = ByteBuffer.allocate(256);
    for (int i = 0; i < 256; i++) {
      in.put((byte) i);
    }
    float[] values = new float[256];
    convert(from, DType.F32, in.flip()).asFloatBuffer().get(values);
    return values;
  }

  @Test
  void convert_everyF8E5m2_isTheF16OfWhichItIsTheUpperHalf() {
    float[] values = everyByte(DType.F8_E5M2);
    for (int i = 0; i < 256; i++) {
      assertSameFloat(values[i], f16(i << 8), i);
    }
  }

  @Test
  void convert_everyF8E4m3_followsItsDefinition() {
    float[] values = everyByte(DType.F8_E4M3);
    for (int i = 0; i < 256; i++) {
      int exponent = (i >> 3) & 0xf;
      int fraction = i & 7;
      double magnitude =
          (i & 0x7f) == 0x7f
              ? Double.NaN
              : exponent == 0 ? fraction / 512.0 : Math.scalb(1 + fraction / 8.0, exponent - 7);
      assertSameFloat(values[i], (float) (i < 128 ? magnitude : -magnitude), i);
    }
    // the published corners: largest, smallest normal, smallest subnormal
    assertThat(values[0x7e]).isEqualTo(448);
    assertThat(values[0x08]).isEqualTo(0x1p-6f);
    assertThat(values[0x01]).isEqualTo(0x1p-9f);
  }

  @Test
  void convert_everyI8_isItsValue() {
    float[] values = everyByte(DType.I8);
    for (int i = 0; i < 256; i++) {
      assertThat(values[i]).isEqualTo((byte) i);
    }
  }
}
