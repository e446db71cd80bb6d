package io.jitflow.flux.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.jitflow.core.testing.Fixtures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeLimitsTest {
  @TempDir Path folder;

  private static String definition(String name) throws IOException {
    return Files.readString(
        Fixtures.folder("parity").resolve("tokenizers/" + name + "/tokenizer.json"));
  }

  private static JsonObject t5() throws IOException {
    return JsonParser.parseString(definition("t5")).getAsJsonObject();
  }

  private static byte[] charsMap(JsonObject definition) {
    String base64 =
        definition.getAsJsonObject("normalizer").get("precompiled_charsmap").getAsString();
    return Base64.getDecoder().decode(base64);
  }

  private static String with(JsonObject definition, byte[] charsMap) {
    definition
        .getAsJsonObject("normalizer")
        .addProperty("precompiled_charsmap", Base64.getEncoder().encodeToString(charsMap));
    return definition.toString();
  }

  @Test
  void problem_ofThePublishedTokenizers_isNone() throws IOException {
    for (String name : new String[] {"t5", "t5-plain", "clip"}) {
      assertThat(NativeLimits.problem(definition(name))).as(name).isEmpty();
    }
  }

  @Test
  void problem_trieThatLeadsOutOfItself_isFound() throws IOException {
    JsonObject definition = t5();
    byte[] map = charsMap(definition);
    ByteBuffer.wrap(map).order(ByteOrder.LITTLE_ENDIAN).putInt(4, 0xfffffc00); // the root's offset
    assertThat(NativeLimits.problem(with(definition, map)))
        .hasValueSatisfying(words -> assertThat(words).contains("stays within its"));
  }

  @Test
  void problem_replacementsThatEndTooSoon_areFound() throws IOException {
    JsonObject definition = t5();
    byte[] map = charsMap(definition);
    byte[] cut = Arrays.copyOf(map, map.length - 30_000);
    assertThat(NativeLimits.problem(with(definition, cut)))
        .hasValueSatisfying(words -> assertThat(words).contains("precompiled_charsmap"));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 8})
  void problem_mapTooShortForItsTrie_isFound(int bytes) throws IOException {
    JsonObject definition = t5();
    byte[] cut = Arrays.copyOf(charsMap(definition), bytes);
    assertThat(NativeLimits.problem(with(definition, cut))).isPresent();
  }

  @Test
  void problem_prefixThatASymbolDoesNotHave_isFound() throws IOException {
    JsonObject definition = JsonParser.parseString(definition("clip")).getAsJsonObject();
    definition.getAsJsonObject("model").addProperty("continuing_subword_prefix", "##########");
    assertThat(NativeLimits.problem(definition.toString()))
        .hasValueSatisfying(words -> assertThat(words).contains("continuing_subword_prefix"));
    Files.writeString(folder.resolve("tokenizer.json"), definition.toString());
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("continuing_subword_prefix");
  }

  @Test
  void problem_normalizerInASequence_isFoundToo() {
    JsonObject precompiled = new JsonObject();
    precompiled.addProperty("type", "Precompiled");
    precompiled.addProperty("precompiled_charsmap", "AAAA");
    JsonArray parts = new JsonArray();
    parts.add(precompiled);
    JsonObject sequence = new JsonObject();
    sequence.add("normalizers", parts);
    JsonObject definition = new JsonObject();
    definition.add("normalizer", sequence);
    assertThat(NativeLimits.problem(definition.toString())).isPresent();
  }
}
