package io.jitflow.flux.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.util.List;

/**
 * The {@code tokenizer.json} that says the same as CLIP's {@code vocab.json} and {@code
 * merges.txt}.
 *
 * <p>The steps are those of OpenAI's CLIP tokenizer: Unicode NFC, runs of white space to one space,
 * lower case, pieces by a regular expression, bytes to printable symbols, merges by rank; the last
 * symbol of a piece carries {@code </w>}.
 */
final class ClipDefinition {

  static final String VOCABULARY = "vocab.json";
  static final String MERGES = "merges.txt";

  private static final String START = "<|startoftext|>";
  private static final String END = "<|endoftext|>";
  private static final String PIECES =
      "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d"
          + "|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

  private ClipDefinition() {}

  static String read(TokenizerFolder files) throws IOException {
    StrictJson ids = files.object(VOCABULARY);
    JsonObject vocabulary = new JsonObject();
    for (String token : ids.keys()) {
      vocabulary.addProperty(token, ids.integer(token));
    }
    int start = id(files, vocabulary, START);
    int end = id(files, vocabulary, END);

    JsonObject model = new JsonObject();
    model.addProperty("type", "BPE");
    model.addProperty("unk_token", END);
    model.addProperty("continuing_subword_prefix", "");
    model.addProperty("end_of_word_suffix", "</w>");
    model.addProperty("fuse_unk", false);
    model.addProperty("byte_fallback", false);
    model.add("vocab", vocabulary);
    model.add("merges", merges(files, vocabulary));

    JsonObject split = Definition.type("Split");
    split.add("pattern", Definition.regex(PIECES));
    split.addProperty("behavior", "Removed");
    split.addProperty("invert", true);
    JsonObject bytes = Definition.type("ByteLevel");
    bytes.addProperty("add_prefix_space", false);
    bytes.addProperty("trim_offsets", true);
    bytes.addProperty("use_regex", true);

    JsonObject oneSpace = Definition.type("Replace");
    oneSpace.add("pattern", Definition.regex("\\s+"));
    oneSpace.addProperty("content", " ");

    JsonObject enclose = Definition.type("RobertaProcessing");
    enclose.add("cls", Definition.tokenAndId(START, start));
    enclose.add("sep", Definition.tokenAndId(END, end));
    enclose.addProperty("trim_offsets", false);
    enclose.addProperty("add_prefix_space", false);

    JsonArray special = new JsonArray();
    special.add(Definition.specialToken(START, start));
    special.add(Definition.specialToken(END, end));

    return Definition.of(
        special,
        Definition.sequence(
            "normalizers", Definition.type("NFC"), oneSpace, Definition.type("Lowercase")),
        Definition.sequence("pretokenizers", split, bytes),
        enclose,
        model);
  }

  private static JsonArray merges(TokenizerFolder files, JsonObject vocabulary) throws IOException {
    JsonArray merges = new JsonArray();
    List<String> lines = files.text(MERGES).lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isBlank() || (i == 0 && line.startsWith("#version"))) {
        continue;
      }
      String[] parts = line.strip().split(" ", -1);
      if (parts.length != 2) {
        throw new TokenizerException(
            "%s: line %d: expected two symbols with a space between them, found '%s'"
                .formatted(files.file(MERGES), i + 1, line),
            null);
      }
      for (String symbol : new String[] {parts[0], parts[1], parts[0] + parts[1]}) {
        if (!vocabulary.has(symbol)) {
          throw new TokenizerException(
              "%s: line %d: '%s' is not in %s; the two files belong to different tokenizers"
                  .formatted(files.file(MERGES), i + 1, symbol, VOCABULARY),
              null);
        }
      }
      JsonArray pair = new JsonArray();
      pair.add(parts[0]);
      pair.add(parts[1]);
      merges.add(pair);
    }
    return merges;
  }

  private static int id(TokenizerFolder files, JsonObject vocabulary, String token)
      throws IOException {
    if (!vocabulary.has(token)) {
      throw new TokenizerException(
          "%s: expected an id for %s, found none".formatted(files.file(VOCABULARY), token), null);
    }
    return vocabulary.get(token).getAsInt();
  }
}
