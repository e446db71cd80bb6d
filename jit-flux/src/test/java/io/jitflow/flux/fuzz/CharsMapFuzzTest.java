package io.jitflow.flux.fuzz;

import com.google.gson.JsonObject;
import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.tokenizer.TokenizerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** The character map in T5's tokenizer, which native code follows as it is. */
class CharsMapFuzzTest extends ForeignFile {
  private static final String CHARS_MAP = "precompiled_charsmap";
  private static final Path T5 = Fixtures.folder("parity/tokenizers/t5/tokenizer.json");

  @Override
  Path file() {
    return scratch.resolve("charsmap");
  }

  @Override
  void read() throws IOException {
    JsonObject definition = Fixtures.json(T5).getAsJsonObject();
    String map = Base64.getEncoder().encodeToString(Files.readAllBytes(file()));
    definition.getAsJsonObject("normalizer").addProperty(CHARS_MAP, map);
    Files.writeString(scratch.resolve("tokenizer.json"), definition.toString());
    TokenizerProcess.shared().load(false, scratch);
  }

  @Override
  byte[] whole() {
    JsonObject normalizer = Fixtures.json(T5).getAsJsonObject().getAsJsonObject("normalizer");
    return Base64.getDecoder().decode(normalizer.get(CHARS_MAP).getAsString());
  }

  @Override
  int head() {
    return whole().length;
  }

  @Override
  int rounds() {
    return super.rounds() / 5;
  }
}
