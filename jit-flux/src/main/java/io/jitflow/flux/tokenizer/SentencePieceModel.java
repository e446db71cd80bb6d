package io.jitflow.flux.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A Unigram model of SentencePiece, as T5's {@code spiece.model} holds it.
 *
 * <p>The file is one protocol buffer message, {@code ModelProto} of SentencePiece's {@code
 * sentencepiece_model.proto}; the field numbers below are from there.
 *
 * @param pieces the vocabulary in the order of the ids
 * @param characterMap the compiled normalisation rules, empty if there are none
 */
record SentencePieceModel(List<Piece> pieces, CharacterMap characterMap) {

  static final String FILE = "spiece.model";

  /** T5 appends this many {@code <extra_id_N>} tokens to the pieces of the file. */
  static final int DEFAULT_EXTRA_IDS = 100;

  // ModelProto
  private static final int PIECES = 1;
  private static final int TRAINER_SPEC = 2;
  private static final int NORMALIZER_SPEC = 3;
  // ModelProto.SentencePiece
  private static final int PIECE_TEXT = 1;
  private static final int PIECE_SCORE = 2;
  private static final int PIECE_KIND = 3;
  // TrainerSpec
  private static final int MODEL_TYPE = 3;
  private static final int UNIGRAM = 1;
  // NormalizerSpec
  private static final int PRECOMPILED_CHARSMAP = 2;

  private static final String END = "</s>";

  /** Kinds of pieces, by the numbers of {@code ModelProto.SentencePiece.Type}. */
  private static final int NORMAL = 1;

  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;

  /** One entry of the vocabulary: log probability as score, kind as in the file. */
  record Piece(String text, float score, int kind) {}

  /** Base64 of the compiled rules, which only the native library interprets. */
  record CharacterMap(String base64) {
    static final CharacterMap NONE = new CharacterMap("");
  }

  static SentencePieceModel read(Path file) throws IOException {
    List<Piece> pieces = new ArrayList<>();
    CharacterMap characterMap = CharacterMap.NONE;
    int modelType = UNIGRAM;
    try {
      CodedInputStream in = CodedInputStream.newInstance(Files.readAllBytes(file));
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (isMessage(tag, PIECES)) {
          pieces.add(readPiece(in.readByteArray()));
        } else if (isMessage(tag, TRAINER_SPEC)) {
          modelType = readModelType(in.readByteArray());
        } else if (isMessage(tag, NORMALIZER_SPEC)) {
          characterMap = readCharacterMap(in.readByteArray());
        } else {
          skip(in, tag);
        }
      }
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new IOException(file + ": damaged or no SentencePiece model: " + e.getMessage(), e);
    }
    if (pieces.isEmpty()) {
      throw new IOException(file + ": no SentencePiece model: it holds no pieces");
    }
    if (modelType != UNIGRAM) {
      throw new IOException(
          "%s: expected a Unigram model (type 1) as T5 has it, found type %d"
              .formatted(file, modelType));
    }
    SentencePieceModel model = new SentencePieceModel(List.copyOf(pieces), characterMap);
    for (String required : new String[] {END, "<pad>"}) {
      if (model.id(required) < 0) {
        throw new IOException(file + ": no T5 model: the piece " + required + " is missing");
      }
    }
    if (model.unknownId() < 0) {
      throw new IOException(file + ": no piece is marked as the unknown one");
    }
    return model;
  }

  private static Piece readPiece(byte[] message) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(message);
    String text = "";
    float score = 0;
    int kind = NORMAL;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (isMessage(tag, PIECE_TEXT)) {
        text = in.readStringRequireUtf8();
      } else if (tag == tag(PIECE_SCORE, WireFormat.WIRETYPE_FIXED32)) {
        score = in.readFloat();
      } else if (tag == tag(PIECE_KIND, WireFormat.WIRETYPE_VARINT)) {
        kind = in.readEnum();
      } else {
        skip(in, tag);
      }
    }
    return new Piece(text, score, kind);
  }

  private static int readModelType(byte[] message) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(message);
    int type = UNIGRAM;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (tag == tag(MODEL_TYPE, WireFormat.WIRETYPE_VARINT)) {
        type = in.readEnum();
      } else {
        skip(in, tag);
      }
    }
    return type;
  }

  private static CharacterMap readCharacterMap(byte[] message) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(message);
    CharacterMap map = CharacterMap.NONE;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (isMessage(tag, PRECOMPILED_CHARSMAP)) {
        map = new CharacterMap(Base64.getEncoder().encodeToString(in.readByteArray()));
      } else {
        skip(in, tag);
      }
    }
    return map;
  }

  private static boolean isMessage(int tag, int field) {
    return tag == tag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
  }

  private static int tag(int field, int wireType) {
    return field << 3 | wireType;
  }

  private static void skip(CodedInputStream in, int tag) throws IOException {
    if (!in.skipField(tag)) {
      throw new com.google.protobuf.InvalidProtocolBufferException("unexpected end of a group");
    }
  }

  private int id(String text) {
    for (int i = 0; i < pieces.size(); i++) {
      if (pieces.get(i).text().equals(text)) {
        return i;
      }
    }
    return -1;
  }

  private int unknownId() {
    for (int i = 0; i < pieces.size(); i++) {
      if (pieces.get(i).kind() == UNKNOWN) {
        return i;
      }
    }
    return -1;
  }

  /**
   * The {@code tokenizer.json} of the same tokenizer: the pieces, then {@code <extra_id_N>} tokens
   * in descending order; text is normalised by the character map, split at white space, and each
   * word gets a leading {@code U+2581}; the end token follows the text.
   *
   * @param extraIds how many {@code <extra_id_N>} tokens to append
   */
  String toDefinition(int extraIds) {
    JsonArray vocabulary = new JsonArray();
    JsonArray special = new JsonArray();
    for (Piece piece : pieces) {
      if (piece.kind() == UNKNOWN || piece.kind() == CONTROL || piece.kind() == USER_DEFINED) {
        special.add(Definition.specialToken(piece.text(), vocabulary.size()));
      }
      vocabulary.add(entry(piece.text(), piece.score()));
    }
    for (int i = extraIds - 1; i >= 0; i--) {
      String name = "<extra_id_" + i + ">";
      special.add(Definition.specialToken(name, vocabulary.size()));
      vocabulary.add(entry(name, 0));
    }
    JsonObject model = Definition.type("Unigram");
    model.addProperty("unk_id", unknownId());
    model.addProperty("byte_fallback", false);
    model.add("vocab", vocabulary);

    JsonElement normalizer = JsonNull.INSTANCE;
    if (!characterMap.equals(CharacterMap.NONE)) {
      JsonObject precompiled = Definition.type("Precompiled");
      precompiled.addProperty("precompiled_charsmap", characterMap.base64());
      normalizer = precompiled;
    }
    JsonObject metaspace = Definition.type("Metaspace");
    metaspace.addProperty("replacement", "\u2581");
    metaspace.addProperty("prepend_scheme", "always");
    metaspace.addProperty("split", true);
    return Definition.of(
        special,
        normalizer,
        Definition.sequence("pretokenizers", Definition.type("WhitespaceSplit"), metaspace),
        endAfterText(),
        model);
  }

  private JsonObject endAfterText() {
    JsonArray single = new JsonArray();
    single.add(templateItem("Sequence", "A"));
    single.add(templateItem("SpecialToken", END));
    JsonArray pair = single.deepCopy(); // never used, but required by the format
    pair.add(templateItem("Sequence", "B"));
    pair.add(templateItem("SpecialToken", END));

    JsonArray ids = new JsonArray();
    ids.add(id(END));
    JsonArray tokens = new JsonArray();
    tokens.add(END);
    JsonObject endToken = new JsonObject();
    endToken.addProperty("id", END);
    endToken.add("ids", ids);
    endToken.add("tokens", tokens);
    JsonObject specialTokens = new JsonObject();
    specialTokens.add(END, endToken);

    JsonObject template = Definition.type("TemplateProcessing");
    template.add("single", single);
    template.add("pair", pair);
    template.add("special_tokens", specialTokens);
    return template;
  }

  private static JsonObject templateItem(String kind, String id) {
    JsonObject content = new JsonObject();
    content.addProperty("id", id);
    content.addProperty("type_id", 0);
    JsonObject item = new JsonObject();
    item.add(kind, content);
    return item;
  }

  private static JsonArray entry(String text, double score) {
    JsonArray entry = new JsonArray();
    entry.add(text);
    entry.add(score);
    return entry;
  }
}
