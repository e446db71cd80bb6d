package io.jitflow.flux.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.jitflow.core.testing.Fixtures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;

/**
 * Checks every string and every field of a parity set of kind {@code tokenizer}; the README beside
 * the sets describes the format.
 */
public final class TokenizerParity {

  private TokenizerParity() {}

  /**
   * The tests of one set, one per way to load a tokenizer and string.
   *
   * @param set the folder with {@code case.json} and {@code expected.json}
   * @param scratch an empty folder for rearranged copies
   */
  public static Stream<DynamicNode> tests(Path set, Path scratch) throws IOException {
    JsonObject cases = json(set.resolve("case.json")).getAsJsonObject();
    List<JsonObject> strings = Fixtures.objects(json(set.resolve("expected.json")));
    List<DynamicNode> nodes = new ArrayList<>();
    for (Map.Entry<String, JsonElement> entry : cases.entrySet()) {
      if (!entry.getValue().isJsonObject()
          || !entry.getValue().getAsJsonObject().has("vocab_size")) {
        continue;
      }
      String name = entry.getKey();
      JsonObject tokenizer = entry.getValue().getAsJsonObject();
      Path definition = set.resolve(tokenizer.get("file").getAsString());
      if (tokenizer.has("merges")) {
        nodes.add(tests(name + " " + definition.getFileName(), name, definition, strings, true));
        Path parts = Files.createDirectories(scratch.resolve(name + "-parts"));
        for (String part : List.of("vocab", "merges")) {
          Path file = set.resolve(tokenizer.get(part).getAsString());
          Files.copy(file, parts.resolve(part.equals("vocab") ? "vocab.json" : "merges.txt"));
        }
        nodes.add(tests(name + " vocab+merges", name, parts.resolve("-"), strings, true));
      } else {
        nodes.add(tests(name + " " + definition.getFileName(), name, definition, strings, false));
      }
    }
    assertThat(nodes).as("tokenizers named in %s", set.resolve("case.json")).isNotEmpty();
    return nodes.stream();
  }

  private static DynamicNode tests(
      String title, String key, Path file, List<JsonObject> strings, boolean clip) {
    return DynamicContainer.dynamicContainer(
        title,
        strings.stream()
            .map(
                string ->
                    DynamicTest.dynamicTest(
                        string.get("name").getAsString(),
                        () -> {
                          String text = string.get("text").getAsString();
                          JsonObject expected = string.getAsJsonObject(key);
                          if (clip) {
                            checkClip(file.getParent(), text, expected);
                          } else {
                            checkT5(file.getParent(), text, expected);
                          }
                        })));
  }

  private static void checkClip(Path folder, String text, JsonObject expected) throws IOException {
    for (String field : expected.keySet()) {
      try (ClipTokenizer tokenizer =
          load(field, folder, ClipTokenizer::load, ClipTokenizer::load)) {
        long[] ids = field.equals("ids") ? tokenizer.wholeIds(text) : tokenizer.ids(text);
        assertThat(ids).as(field).containsExactly(longs(expected, field));
      }
    }
  }

  private static void checkT5(Path folder, String text, JsonObject expected) throws IOException {
    for (String field : expected.keySet()) {
      try (T5Tokenizer tokenizer = load(field, folder, T5Tokenizer::load, T5Tokenizer::load)) {
        long[] ids = field.equals("ids") ? tokenizer.wholeIds(text) : tokenizer.ids(text);
        assertThat(ids).as(field).containsExactly(longs(expected, field));
        if (!field.equals("ids")) {
          assertThat(tokenizer.ids(text, ids.length)).containsExactly(ids);
        }
      }
    }
  }

  /** Field {@code ids_77} wants length 77; {@code ids} wants the folder's own. */
  private static <T> T load(String field, Path folder, Loader<T> own, SizedLoader<T> sized)
      throws IOException {
    return field.equals("ids")
        ? own.load(folder)
        : sized.load(folder, Integer.parseInt(field.substring("ids_".length())));
  }

  private static long[] longs(JsonObject object, String field) {
    Function<JsonElement, Long> asLong = JsonElement::getAsLong;
    return StreamSupport.stream(object.getAsJsonArray(field).spliterator(), false)
        .map(asLong)
        .mapToLong(Long::longValue)
        .toArray();
  }

  private static JsonElement json(Path file) throws IOException {
    return JsonParser.parseString(Files.readString(file));
  }

  private interface Loader<T> {
    T load(Path folder) throws IOException;
  }

  private interface SizedLoader<T> {
    T load(Path folder, int length) throws IOException;
  }
}
