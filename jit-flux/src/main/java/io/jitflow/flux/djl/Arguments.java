package io.jitflow.flux.djl;

import io.jitflow.flux.image.ImageSettings;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.util.Map;

/** Reads settings where DJL has them: in a model's arguments, and in the JSON of a call. */
final class Arguments {

  private Arguments() {}

  /**
   * The usual settings of a model, from its arguments.
   *
   * @throws IllegalArgumentException if a value is no number or out of range
   */
  static ImageSettings settings(Map<String, ?> arguments) {
    ImageSettings settings = ImageSettings.none();
    if (arguments.get("widthPx") != null) {
      settings = settings.withWidthPx(integer(arguments, "widthPx"));
    }
    if (arguments.get("heightPx") != null) {
      settings = settings.withHeightPx(integer(arguments, "heightPx"));
    }
    if (arguments.get("steps") != null) {
      settings = settings.withSteps(integer(arguments, "steps"));
    }
    if (arguments.get("preset") != null) {
      settings = settings.withPreset(arguments.get("preset").toString());
    }
    if (arguments.get("guidance") != null) {
      settings = settings.withGuidance(number(arguments, "guidance"));
    }
    return settings.check();
  }

  /** The settings of one call; the prompt is left to the caller. */
  static ImageSettings settings(StrictJson json) throws IOException {
    ImageSettings settings = ImageSettings.none();
    if (json.has("widthPx")) {
      settings = settings.withWidthPx(json.integer("widthPx"));
    }
    if (json.has("heightPx")) {
      settings = settings.withHeightPx(json.integer("heightPx"));
    }
    if (json.has("guidance")) {
      settings = settings.withGuidance(json.number("guidance"));
    }
    if (json.has("seed")) {
      settings = settings.withSeed(json.longInteger("seed"));
    }
    if (json.has("preset")) {
      settings = settings.withPreset(json.string("preset"));
    }
    if (json.has("steps")) {
      settings = settings.withSteps(json.integer("steps"));
    }
    if (json.has("negativePrompt")) {
      settings = settings.withNegativePrompt(json.string("negativePrompt"));
    }
    if (json.has("trueCfgScale")) {
      settings = settings.withTrueCfgScale(json.number("trueCfgScale"));
    }
    return settings;
  }

  static int integer(Map<String, ?> arguments, String key) {
    String text = String.valueOf(arguments.get(key));
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s: expected a whole number, found '%s'".formatted(key, text), e);
    }
  }

  private static double number(Map<String, ?> arguments, String key) {
    String text = String.valueOf(arguments.get(key));
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "%s: expected a number, found '%s'".formatted(key, text), e);
    }
  }
}
