package io.jitflow.flux.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;

/** The vocabulary of the {@code tokenizer.json} format of Hugging Face's tokenizers library. */
final class Definition {

  private Definition() {}

  static String of(
      JsonArray specialTokens,
      JsonElement normalizer,
      JsonObject preTokenizer,
      JsonObject postProcessor,
      JsonObject model) {
    JsonObject definition = new JsonObject();
    definition.addProperty("version", "1.0");
    definition.add("truncation", JsonNull.INSTANCE);
    definition.add("padding", JsonNull.INSTANCE);
    definition.add("added_tokens", specialTokens);
    definition.add("normalizer", normalizer);
    definition.add("pre_tokenizer", preTokenizer);
    definition.add("post_processor", postProcessor);
    definition.add("decoder", JsonNull.INSTANCE); // ids are never turned back into text here
    definition.add("model", model);
    return definition.toString();
  }

  static JsonObject type(String name) {
    JsonObject part = new JsonObject();
    part.addProperty("type", name);
    return part;
  }

  static JsonObject sequence(String listName, JsonObject... parts) {
    JsonArray list = new JsonArray();
    for (JsonObject part : parts) {
      list.add(part);
    }
    JsonObject sequence = type("Sequence");
    sequence.add(listName, list);
    return sequence;
  }

  static JsonObject regex(String pattern) {
    JsonObject regex = new JsonObject();
    regex.addProperty("Regex", pattern);
    return regex;
  }

  static JsonArray tokenAndId(String token, int id) {
    JsonArray pair = new JsonArray();
    pair.add(token);
    pair.add(id);
    return pair;
  }

  static JsonObject specialToken(String token, int id) {
    JsonObject special = new JsonObject();
    special.addProperty("id", id);
    special.addProperty("content", token);
    special.addProperty("single_word", false);
    special.addProperty("lstrip", false);
    special.addProperty("rstrip", false);
    special.addProperty("normalized", false);
    special.addProperty("special", true);
    return special;
  }
}
