package io.jitflow.flux.image;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The JSON text of a request; {@code format} changes when older readers would misread it.
 *
 * <p>Reading goes through {@link ImageRequest}'s own methods, so a changed file cannot make a
 * request that code could not.
 */
final class RequestJson {

  private static final int FORMAT = 1;

  private RequestJson() {}

  static JsonObject write(ImageRequest request) {
    JsonObject json = new JsonObject();
    json.addProperty("format", FORMAT);
    json.addProperty("prompt", request.prompt());
    if (request.negativePrompt().isPresent()) {
      json.addProperty("negativePrompt", request.negativePrompt().get());
      json.addProperty("trueCfgScale", request.trueCfgScale());
    }
    json.addProperty("widthPx", request.widthPx());
    json.addProperty("heightPx", request.heightPx());
    json.addProperty("guidance", request.guidance());
    if (request.seed().isPresent()) {
      json.addProperty("seed", request.seed().getAsLong());
    }
    json.addProperty("count", request.count());
    if (request.textTokens().isPresent()) {
      json.addProperty("textTokens", request.textTokens().getAsInt());
    }
    if (request.sampler().isPresent()) {
      json.add("sampler", SamplerJson.write(request.sampler().get()));
    }
    return json;
  }

  /**
   * Reads a request.
   *
   * @throws IllegalArgumentException if a value is missing, of another type or out of range
   */
  static ImageRequest read(JsonObject json) {
    int format = intValue(json, "format");
    if (format != FORMAT) {
      throw new IllegalArgumentException(
          "expected format %d, found %d: written by another version".formatted(FORMAT, format));
    }
    ImageRequest request =
        ImageRequest.of(text(json, "prompt"))
            .size(intValue(json, "widthPx"), intValue(json, "heightPx"))
            .guidance(number(json, "guidance"))
            .count(intValue(json, "count"));
    if (json.has("negativePrompt")) {
      request = request.negativePrompt(text(json, "negativePrompt"), number(json, "trueCfgScale"));
    }
    if (json.has("seed")) {
      request = request.seed(longValue(json, "seed"));
    }
    if (json.has("textTokens")) {
      request = request.textTokens(intValue(json, "textTokens"));
    }
    if (json.has("sampler")) {
      request = request.sampler(SamplerJson.read(object(json, "sampler")));
    }
    return request;
  }

  static String text(JsonObject json, String key) {
    return value(json, key, "a text", JsonPrimitive::isString, JsonPrimitive::getAsString);
  }

  static double number(JsonObject json, String key) {
    return value(json, key, "a number", JsonPrimitive::isNumber, JsonPrimitive::getAsDouble);
  }

  static int intValue(JsonObject json, String key) {
    return value(json, key, "a whole number", JsonPrimitive::isNumber, JsonPrimitive::getAsInt);
  }

  static long longValue(JsonObject json, String key) {
    return value(json, key, "a whole number", JsonPrimitive::isNumber, JsonPrimitive::getAsLong);
  }

  static JsonObject object(JsonObject json, String key) {
    JsonElement found = json.get(key);
    if (found == null || !found.isJsonObject()) {
      throw unexpected(key, "an object", found);
    }
    return found.getAsJsonObject();
  }

  private static <T> T value(
      JsonObject json,
      String key,
      String expected,
      Predicate<JsonPrimitive> isType,
      Function<JsonPrimitive, T> as) {
    JsonElement found = json.get(key);
    if (found == null || !found.isJsonPrimitive() || !isType.test(found.getAsJsonPrimitive())) {
      throw unexpected(key, expected, found);
    }
    try {
      return as.apply(found.getAsJsonPrimitive());
    } catch (NumberFormatException e) {
      throw unexpected(key, expected, found);
    }
  }

  static IllegalArgumentException unexpected(String key, String expected, JsonElement found) {
    return new IllegalArgumentException(
        "\"%s\": expected %s, found %s"
            .formatted(key, expected, found == null ? "nothing" : found));
  }
}
