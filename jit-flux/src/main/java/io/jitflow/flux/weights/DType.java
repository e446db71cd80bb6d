package io.jitflow.flux.weights;

import java.util.Optional;

/** Element types of tensors. The constants' names are the names used in safetensors headers. */
public enum DType {
  /** 64-bit IEEE floating point. */
  F64(8),
  /** 32-bit IEEE floating point. */
  F32(4),
  /** 16-bit IEEE floating point: 5 exponent bits, largest finite value 65504. */
  F16(2),
  /** bfloat16: the upper half of an {@link #F32}. */
  BF16(2),
  /**
   * 8-bit floating point with 4 exponent bits: finite up to 448, NaN, no infinity. Read, not
   * written.
   */
  F8_E4M3(1),
  /** 8-bit floating point with 5 exponent bits, the upper half of an {@link #F16}. Read only. */
  F8_E5M2(1),
  /** 64-bit signed integer. */
  I64(8),
  /** 32-bit signed integer. */
  I32(4),
  /** 16-bit signed integer. */
  I16(2),
  /** 8-bit signed integer. */
  I8(1),
  /** 8-bit unsigned integer. */
  U8(1),
  /** One byte, 0 or 1. */
  BOOL(1);

  private final int byteSize;

  DType(int byteSize) {
    this.byteSize = byteSize;
  }

  /**
   * Returns the size of one element.
   *
   * @return bytes per element
   */
  public int byteSize() {
    return byteSize;
  }

  /**
   * Returns the name of this type in safetensors headers.
   *
   * @return the name, such as {@code BF16}
   */
  public String safetensorsName() {
    return name();
  }

  /**
   * Finds a type by its name in a safetensors header.
   *
   * @param name the exact name, such as {@code BF16}
   * @return the type, or empty if this library does not read it
   */
  public static Optional<DType> named(String name) {
    for (DType dtype : values()) {
      if (dtype.safetensorsName().equals(name)) {
        return Optional.of(dtype);
      }
    }
    return Optional.empty();
  }
}
