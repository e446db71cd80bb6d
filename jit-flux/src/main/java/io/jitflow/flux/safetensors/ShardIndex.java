package io.jitflow.flux.safetensors;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import io.jitflow.flux.file.Quoted;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The {@code *.index.json} of a sharded checkpoint: which file holds which tensor. */
final class ShardIndex {
  private ShardIndex() {}

  /** Shard file names by tensor name. Every file name is plain: it cannot leave the folder. */
  static Map<String, String> read(Path index) throws IOException {
    long size = CheckpointPath.regularFileSize(index);
    if (size > SafetensorsHeader.MAX_BYTES) {
      throw SafetensorsException.of(
          index,
          "expected an index of at most "
              + SafetensorsHeader.MAX_BYTES
              + " bytes, found "
              + size
              + "; this is not a shard index");
    }
    try (JsonReader reader =
        new JsonReader(
            new InputStreamReader(
                Files.newInputStream(index), StandardCharsets.UTF_8.newDecoder()))) {
      reader.setStrictness(Strictness.STRICT);
      return read(index, reader);
    } catch (CharacterCodingException e) {
      throw SafetensorsException.of(
          index, "expected an index in UTF-8, found other bytes; download it again", e);
    } catch (MalformedJsonException | EOFException e) {
      throw SafetensorsException.of(
          index,
          "expected a JSON index, found malformed JSON ("
              + SafetensorsHeader.position(e)
              + "); download it again",
          e);
    }
  }

  private static Map<String, String> read(Path index, JsonReader reader) throws IOException {
    if (reader.peek() != JsonToken.BEGIN_OBJECT) {
      throw notAnIndex(index, "no JSON object");
    }
    Map<String, String> shards = null;
    reader.beginObject();
    while (reader.hasNext()) {
      if (!reader.nextName().equals("weight_map")) {
        reader.skipValue();
      } else if (shards != null) {
        throw notAnIndex(index, "two of them");
      } else {
        shards = weightMap(index, reader);
      }
    }
    reader.endObject();
    if (!SafetensorsHeader.atEnd(reader)) {
      throw notAnIndex(index, "something after the JSON object");
    }
    if (shards == null || shards.isEmpty()) {
      throw notAnIndex(index, shards == null ? "none" : "an empty one");
    }
    return shards;
  }

  private static Map<String, String> weightMap(Path index, JsonReader reader) throws IOException {
    if (reader.peek() != JsonToken.BEGIN_OBJECT) {
      throw notAnIndex(index, "something that is no object");
    }
    Map<String, String> shards = new LinkedHashMap<>();
    reader.beginObject();
    while (reader.hasNext()) {
      String tensor = reader.nextName();
      if (reader.peek() != JsonToken.STRING) {
        throw SafetensorsException.ofTensor(
            index, tensor, "expected a file name, found something else; download the index again");
      }
      String shard = plainName(index, tensor, reader.nextString());
      String other = shards.put(tensor, shard);
      if (other != null) {
        throw SafetensorsException.ofTensor(
            index,
            tensor,
            "expected in one shard, found in two: "
                + Quoted.of(other)
                + " and "
                + Quoted.of(shard)
                + "; download the index again");
      }
    }
    reader.endObject();
    return shards;
  }

  private static String plainName(Path index, String tensor, String shard)
      throws SafetensorsException {
    boolean plain =
        !shard.isEmpty()
            && !shard.equals(".")
            && !shard.equals("..")
            && shard.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
    if (!plain) {
      throw SafetensorsException.ofTensor(
          index,
          tensor,
          "expected the name of a file beside the index, found "
              + Quoted.of(shard)
              + "; do not trust this checkpoint");
    }
    return shard;
  }

  private static SafetensorsException notAnIndex(Path index, String found) {
    return SafetensorsException.of(
        index,
        "expected a JSON object with one weight_map that gives the file of every tensor, found "
            + found
            + "; download the index again");
  }
}
