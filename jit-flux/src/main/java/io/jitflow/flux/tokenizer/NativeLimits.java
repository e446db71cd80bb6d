package io.jitflow.flux.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a tokenizer's definition must not say, because the native library does not refuse it but
 * ends the process.
 */
final class NativeLimits {
  private static final String PRECOMPILED = "Precompiled";
  private static final int DEEPEST = 64;

  private NativeLimits() {}

  /**
   * Looks for it.
   *
   * @param json the text of a {@code tokenizer.json}
   * @return what is wrong; empty if nothing of that kind is
   */
  static Optional<String> problem(String json) {
    JsonElement root;
    try {
      root = StrictJson.tree(json, IOException::new);
    } catch (IOException e) {
      return Optional.of("expected JSON, found something else");
    }
    if (!root.isJsonObject()) {
      return Optional.of("expected a JSON object");
    }
    Optional<String> charsMap = inNormalizer(root.getAsJsonObject().get("normalizer"), 0);
    return charsMap.isPresent() ? charsMap : inModel(root.getAsJsonObject().get("model"));
  }

  private static Optional<String> inNormalizer(JsonElement element, int depth) {
    if (element == null || !element.isJsonObject()) {
      return Optional.empty();
    }
    if (depth > DEEPEST) {
      return Optional.of("normalizer: expected at most %d levels".formatted(DEEPEST));
    }
    JsonObject normalizer = element.getAsJsonObject();
    // the library tells a normalizer's kind by its entries, too
    if (PRECOMPILED.equals(text(normalizer.get("type")))
        || normalizer.has("precompiled_charsmap")) {
      Optional<String> problem = inCharsMap(text(normalizer.get("precompiled_charsmap")));
      if (problem.isPresent()) {
        return problem.map(words -> "normalizer.precompiled_charsmap: " + words);
      }
    }
    if (normalizer.get("normalizers") instanceof JsonArray parts) {
      for (JsonElement part : parts) {
        Optional<String> problem = inNormalizer(part, depth + 1);
        if (problem.isPresent()) {
          return problem;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> inCharsMap(@Nullable String base64) {
    if (base64 == null) {
      return Optional.of("expected text");
    }
    try {
      return CharsMap.problem(Base64.getDecoder().decode(base64.getBytes(StandardCharsets.UTF_8)));
    } catch (IllegalArgumentException e) {
      return Optional.of("expected Base64, found something else");
    }
  }

  /** A merge drops the prefix of its second symbol without looking whether there is one. */
  private static Optional<String> inModel(JsonElement element) {
    if (element == null || !element.isJsonObject()) {
      return Optional.empty();
    }
    JsonObject model = element.getAsJsonObject();
    String prefix = text(model.get("continuing_subword_prefix"));
    if (prefix == null || prefix.isEmpty() || !(model.get("merges") instanceof JsonArray merges)) {
      return Optional.empty();
    }
    for (JsonElement merge : merges) {
      String second = second(merge);
      if (second != null && !second.startsWith(prefix)) {
        return Optional.of(
            "model.continuing_subword_prefix: expected the beginning of every merge's second"
                + " symbol");
      }
    }
    return Optional.empty();
  }

  private static @Nullable String second(JsonElement merge) {
    if (merge.isJsonArray()) {
      JsonArray pair = merge.getAsJsonArray();
      return pair.size() == 2 ? text(pair.get(1)) : null;
    }
    String line = text(merge);
    int space = line == null ? -1 : line.indexOf(' ');
    return line == null || space < 0 ? null : line.substring(space + 1);
  }

  private static @Nullable String text(@Nullable JsonElement element) {
    return element != null && element.isJsonPrimitive() && element.getAsJsonPrimitive().isString()
        ? element.getAsString()
        : null;
  }
}
