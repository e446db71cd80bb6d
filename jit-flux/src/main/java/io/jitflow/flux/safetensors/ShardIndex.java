package io.jitflow.flux.safetensors;

import io.jitflow.flux.json.JsonStream;
import io.jitflow.flux.json.JsonStream.Part;
import io.jitflow.flux.json.Quoted;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
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
    try (JsonStream stream = new JsonStream(Files.newInputStream(index))) {
      return read(index, stream);
    } catch (CharacterCodingException e) {
      throw SafetensorsException.of(
          index, "expected an index in UTF-8, found other bytes; download it again", e);
    } catch (JsonStream.Malformed e) {
      throw SafetensorsException.of(
          index,
          "expected a JSON index, found malformed JSON (" + e.place() + "); download it again",
          e);
    }
  }

  private static Map<String, String> read(Path index, JsonStream stream) throws IOException {
    if (stream.next() != Part.OBJECT) {
      throw notAnIndex(index, "no JSON object");
    }
    Map<String, String> shards = null;
    stream.beginObject();
    while (stream.hasNext()) {
      if (!stream.name().equals("weight_map")) {
        stream.skip();
      } else if (shards != null) {
        throw notAnIndex(index, "two of them");
      } else {
        shards = weightMap(index, stream);
      }
    }
    stream.endObject();
    if (!stream.atEnd()) {
      throw notAnIndex(index, "something after the JSON object");
    }
    if (shards == null || shards.isEmpty()) {
      throw notAnIndex(index, shards == null ? "none" : "an empty one");
    }
    return shards;
  }

  private static Map<String, String> weightMap(Path index, JsonStream stream) throws IOException {
    if (stream.next() != Part.OBJECT) {
      throw notAnIndex(index, "something that is no object");
    }
    Map<String, String> shards = new LinkedHashMap<>();
    stream.beginObject();
    while (stream.hasNext()) {
      String tensor = stream.name();
      if (stream.next() != Part.TEXT) {
        throw SafetensorsException.ofTensor(
            index, tensor, "expected a file name, found something else; download the index again");
      }
      String shard = plainName(index, tensor, stream.text());
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
    stream.endObject();
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
