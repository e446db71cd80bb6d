package io.jitflow.flux.tokenizer;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Optional;

/**
 * SentencePiece's precompiled character map: the size of a trie in bytes, the trie as a double
 * array of 32-bit units, then the replacements, each ended by a zero.
 *
 * <p>Native code follows the trie without looking at its limits; so every place that any text can
 * lead to is visited here.
 */
final class CharsMap {
  private static final int LEAF = 1 << 8;
  private static final int WIDE = 1 << 9;
  private static final int LABEL = 1 << 31 | 0xff;

  private final int[] units;
  private final byte[] replacements;

  private CharsMap(int[] units, byte[] replacements) {
    this.units = units;
    this.replacements = replacements;
  }

  /** What is wrong with the bytes of a map; empty if native code can follow it anywhere. */
  static Optional<String> problem(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < Integer.BYTES) {
      return Optional.of("expected the size of a trie, found %d bytes".formatted(bytes.length));
    }
    long trieBytes = Integer.toUnsignedLong(buffer.getInt());
    if (trieBytes == 0 || trieBytes % Integer.BYTES != 0 || trieBytes > buffer.remaining()) {
      return Optional.of(
          "expected a trie of %d bytes, found %d".formatted(trieBytes, buffer.remaining()));
    }
    int[] units = new int[(int) (trieBytes / Integer.BYTES)];
    for (int i = 0; i < units.length; i++) {
      units[i] = buffer.getInt();
    }
    byte[] replacements = new byte[buffer.remaining()];
    buffer.get(replacements);
    try {
      var unused = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(replacements));
    } catch (CharacterCodingException e) {
      return Optional.of("expected replacements in UTF-8, found something else");
    }
    return new CharsMap(units, replacements).walk();
  }

  private Optional<String> walk() {
    BitSet seen = new BitSet(units.length);
    ArrayDeque<Integer> waiting = new ArrayDeque<>();
    waiting.add(offset(units[0]));
    while (!waiting.isEmpty()) {
      int node = waiting.remove();
      for (int label = 1; label <= 0xff; label++) { // text ends at a zero
        int place = node ^ label;
        if (place < 0 || place >= units.length) {
          return Optional.of(
              "expected a trie that stays within its %d units, found one that leads to %d"
                  .formatted(units.length, place));
        }
        if ((units[place] & LABEL) != label || seen.get(place)) {
          continue;
        }
        seen.set(place);
        int next = place ^ offset(units[place]);
        if ((units[place] & LEAF) != 0) {
          if (next < 0 || next >= units.length) {
            return Optional.of("expected a leaf within the trie, found one at %d".formatted(next));
          }
          if (!isReplacement(units[next] & Integer.MAX_VALUE)) {
            return Optional.of(
                "expected a replacement at %d, found none"
                    .formatted(units[next] & Integer.MAX_VALUE));
          }
        }
        waiting.add(next);
      }
    }
    return Optional.empty();
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & WIDE) >>> 6);
  }

  /** Whether a character begins here and a zero follows somewhere. */
  private boolean isReplacement(int start) {
    if (start >= replacements.length || (replacements[start] & 0xc0) == 0x80) {
      return false;
    }
    int end = start;
    while (end < replacements.length && replacements[end] != 0) {
      end++;
    }
    return end < replacements.length;
  }
}
