package io.jitflow.spark;

import io.jitflow.flux.image.ImageSettings;
import java.io.Serializable;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.apache.spark.sql.Row;

/** Settings as they travel to the executors and as rows give them; null is left open. */
record RowSettings(
    Integer widthPx,
    Integer heightPx,
    Double guidance,
    String preset,
    Integer steps,
    String negativePrompt,
    Double trueCfgScale)
    implements Serializable {

  static RowSettings of(ImageSettings settings) {
    return new RowSettings(
        boxed(settings.widthPx()),
        boxed(settings.heightPx()),
        boxed(settings.guidance()),
        settings.preset().orElse(null),
        boxed(settings.steps()),
        settings.negativePrompt().orElse(null),
        boxed(settings.trueCfgScale()));
  }

  static RowSettings of(Row row) {
    return new RowSettings(
        integer(row, "widthPx"),
        integer(row, "heightPx"),
        real(row, "guidance"),
        text(row, "preset"),
        integer(row, "steps"),
        text(row, "negativePrompt"),
        real(row, "trueCfgScale"));
  }

  private static Integer boxed(OptionalInt value) {
    return value.isPresent() ? (Integer) value.getAsInt() : null;
  }

  private static Double boxed(OptionalDouble value) {
    return value.isPresent() ? (Double) value.getAsDouble() : null;
  }

  ImageSettings settings() {
    ImageSettings settings = ImageSettings.none();
    settings = widthPx == null ? settings : settings.withWidthPx(widthPx);
    settings = heightPx == null ? settings : settings.withHeightPx(heightPx);
    settings = guidance == null ? settings : settings.withGuidance(guidance);
    settings = preset == null ? settings : settings.withPreset(preset);
    settings = steps == null ? settings : settings.withSteps(steps);
    settings = negativePrompt == null ? settings : settings.withNegativePrompt(negativePrompt);
    return trueCfgScale == null ? settings : settings.withTrueCfgScale(trueCfgScale);
  }

  /**
   * The value of a column, or null where there is none.
   *
   * @throws IllegalArgumentException if it is of another type
   */
  static String text(Row row, String column) {
    Object value = value(row, column);
    if (value == null || value instanceof String) {
      return (String) value;
    }
    throw unexpected(column, "a text", value);
  }

  static Number number(Row row, String column) {
    Object value = value(row, column);
    if (value == null || value instanceof Number) {
      return (Number) value;
    }
    throw unexpected(column, "a number", value);
  }

  private static Integer integer(Row row, String column) {
    Number value = number(row, column);
    return value == null ? null : Math.toIntExact(value.longValue());
  }

  private static Double real(Row row, String column) {
    Number value = number(row, column);
    return value == null ? null : value.doubleValue();
  }

  private static Object value(Row row, String column) {
    for (String name : row.schema().fieldNames()) {
      if (name.equals(column)) {
        return row.get(row.fieldIndex(column));
      }
    }
    return null;
  }

  private static IllegalArgumentException unexpected(String column, String expected, Object found) {
    return new IllegalArgumentException(
        "column %s: expected %s, found %s".formatted(column, expected, found));
  }
}
