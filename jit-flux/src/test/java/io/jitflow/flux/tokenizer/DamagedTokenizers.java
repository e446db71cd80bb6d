package io.jitflow.flux.tokenizer;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Random;

/**
 * Loads definitions with seeded damage and encodes a text with those that load. It ends with 0 if
 * every one of them was used or refused; native code that does not survive ends it otherwise.
 */
final class DamagedTokenizers {
  private static final String TEXT =
      "a small red fox, \uff21\u00e9\ufb01\u2460 \u0130 in snow </s>";

  private DamagedTokenizers() {}

  public static void main(String[] arguments) throws IOException {
    Path tokenizers = Path.of(arguments[0]);
    Path work = Path.of(arguments[1]);
    int each = Integer.parseInt(arguments[2]);
    String clip = Files.readString(tokenizers.resolve("clip/tokenizer.json"));
    String t5 = Files.readString(tokenizers.resolve("t5/tokenizer.json"));
    String plain = Files.readString(tokenizers.resolve("t5-plain/tokenizer.json"));
    int used = 0;
    for (int seed = 0; seed < each; seed++) {
      Random random = new Random(seed);
      System.out.println("seed " + seed);
      used += load(work, damaged(clip, random), true);
      used += load(work, damaged(plain, random), false);
      used += load(work, damaged(t5, random), false);
      used += load(work, withDamagedCharsMap(t5, random), false);
    }
    System.out.printf("%d of %d were used%n", used, 4 * each);
    System.out.println("done");
  }

  private static int load(Path folder, byte[] definition, boolean isClip) throws IOException {
    Files.write(folder.resolve("tokenizer.json"), definition);
    try {
      if (isClip) {
        try (ClipTokenizer tokenizer = ClipTokenizer.load(folder)) {
          tokenizer.ids(TEXT);
        }
      } else {
        try (T5Tokenizer tokenizer = T5Tokenizer.load(folder)) {
          tokenizer.ids(TEXT);
        }
      }
      return 1;
    } catch (IOException | RuntimeException e) {
      return 0; // refused
    }
  }

  /** A few bytes changed, removed or doubled; mostly in the part before the long vocabulary. */
  private static byte[] damaged(String text, Random random) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      int limit = random.nextBoolean() ? Math.min(4000, bytes.length) : bytes.length;
      int at = random.nextInt(limit);
      switch (random.nextInt(3)) {
        case 0 -> bytes[at] = (byte) (' ' + random.nextInt(95));
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(7));
        default -> System.arraycopy(bytes, at, bytes, Math.max(0, at - 1), bytes.length - at);
      }
    }
    return bytes;
  }

  private static byte[] withDamagedCharsMap(String text, Random random) {
    JsonObject definition = JsonParser.parseString(text).getAsJsonObject();
    JsonObject normalizer = definition.getAsJsonObject("normalizer");
    byte[] map = Base64.getDecoder().decode(normalizer.get("precompiled_charsmap").getAsString());
    int changes = 1 + random.nextInt(200);
    for (int i = 0; i < changes; i++) {
      map[random.nextInt(map.length)] ^= (byte) (1 << random.nextInt(8));
    }
    normalizer.addProperty("precompiled_charsmap", Base64.getEncoder().encodeToString(map));
    return definition.toString().getBytes(StandardCharsets.UTF_8);
  }
}
