package io.jitflow.flux.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** Writes the {@code spiece.model} that a T5 {@code tokenizer.json} would have come from. */
final class SentencePieceFixture {

  private SentencePieceFixture() {}

  static void write(Path definition, Path folder) throws IOException {
    JsonObject json = JsonParser.parseString(Files.readString(definition)).getAsJsonObject();
    int extraIds = 0;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    for (JsonElement element : json.getAsJsonObject("model").getAsJsonArray("vocab")) {
      JsonArray entry = element.getAsJsonArray();
      String text = entry.get(0).getAsString();
      if (text.startsWith("<extra_id_")) {
        extraIds++;
      } else {
        out.writeByteArray(1, piece(text, entry.get(1).getAsFloat()));
      }
    }
    out.writeByteArray(2, message(trainer -> trainer.writeEnum(3, 1)));
    if (json.get("normalizer").isJsonObject()) {
      String map = json.getAsJsonObject("normalizer").get("precompiled_charsmap").getAsString();
      out.writeByteArray(
          3,
          message(
              normalizer -> {
                normalizer.writeString(1, "nmt_nfkc");
                normalizer.writeBytes(2, ByteString.copyFrom(Base64.getDecoder().decode(map)));
              }));
    }
    out.flush();
    Files.write(folder.resolve("spiece.model"), bytes.toByteArray());
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"extra_ids\": %d, \"model_max_length\": 512}".formatted(extraIds));
  }

  static byte[] piece(String text, float score) throws IOException {
    return message(
        piece -> {
          piece.writeString(1, text);
          piece.writeFloat(2, score);
          switch (text) {
            case "<pad>", "</s>" -> piece.writeEnum(3, 3);
            case "<unk>" -> piece.writeEnum(3, 2);
            default -> {} // normal, the default of the format
          }
        });
  }

  static byte[] message(Content content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    content.writeTo(out);
    out.flush();
    return bytes.toByteArray();
  }

  interface Content {
    void writeTo(CodedOutputStream out) throws IOException;
  }
}
