package io.jitflow.flux.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {

  private static final Path SET =
      Path.of(System.getProperty("jit.fixtures"), "parity", "tokenizers");
  private static final Path CLIP = SET.resolve("clip");
  private static final Path T5 = SET.resolve("t5");
  private static final long CLIP_START = 642;
  private static final long CLIP_END = 643;
  private static final long T5_END = 1;

  @TempDir Path folder;

  @Test
  void ids_emptyPrompt_endTokenThenPadding() throws IOException {
    try (ClipTokenizer clip = ClipTokenizer.load(CLIP);
        T5Tokenizer t5 = T5Tokenizer.load(T5, 4)) {
      assertThat(clip.ids("")).hasSize(77).startsWith(CLIP_START, CLIP_END, CLIP_END);
      assertThat(t5.ids("")).containsExactly(T5_END, 0, 0, 0);
    }
  }

  @Test
  void ids_tenThousandCharacters_truncatedWithEndToken() throws IOException {
    String prompt = "a red fox in snow, ".repeat(527).substring(0, 10_000);
    try (ClipTokenizer clip = ClipTokenizer.load(CLIP);
        T5Tokenizer t5 = T5Tokenizer.load(T5)) {
      assertThat(clip.ids(prompt)).hasSize(77).startsWith(CLIP_START).endsWith(CLIP_END);
      assertThat(clip.wholeIds(prompt)).hasSizeGreaterThan(1000);
      assertThat(t5.ids(prompt)).hasSize(512).endsWith(T5_END).doesNotContain(0L);
      assertThat(t5.wholeIds(prompt)).hasSizeGreaterThan(1000);
    }
  }

  @Test
  void ids_oneWordOfTenThousandCharacters_works() throws IOException {
    String prompt = "x".repeat(10_000);
    try (ClipTokenizer clip = ClipTokenizer.load(CLIP);
        T5Tokenizer t5 = T5Tokenizer.load(T5)) {
      assertThat(clip.ids(prompt)).hasSize(77).endsWith(CLIP_END);
      assertThat(t5.ids(prompt)).hasSize(512);
    }
  }

  @Test
  void ids_unpairedSurrogates_readAsReplacementCharacter() throws IOException {
    try (ClipTokenizer clip = ClipTokenizer.load(CLIP);
        T5Tokenizer t5 = T5Tokenizer.load(T5)) {
      String broken = "cat \uD83D dog \uDC31\uD83D";
      String repaired = "cat \uFFFD dog \uFFFD\uFFFD";
      assertThat(clip.ids(broken)).containsExactly(clip.ids(repaired));
      assertThat(t5.ids(broken)).containsExactly(t5.ids(repaired));
      assertThat(clip.ids("\uD83D\uDC31")).isNotEqualTo(clip.ids("\uFFFD\uFFFD"));
    }
  }

  @Test
  void ids_controlCharacters_work() throws IOException {
    try (ClipTokenizer clip = ClipTokenizer.load(CLIP);
        T5Tokenizer t5 = T5Tokenizer.load(T5)) {
      String prompt = "\u0000a\u0001\u001b[31m\u0000\uFFFF\uFFFE\u202E";
      assertThat(clip.wholeIds(prompt)).hasSizeGreaterThan(10);
      assertThat(t5.wholeIds(prompt)).hasSizeGreaterThan(3);
    }
  }

  @Test
  void ids_shortestLengths_specialTokensOnly() throws IOException {
    try (ClipTokenizer clip = ClipTokenizer.load(CLIP, 2);
        T5Tokenizer t5 = T5Tokenizer.load(T5)) {
      assertThat(clip.ids("a cat")).containsExactly(CLIP_START, CLIP_END);
      assertThat(t5.ids("a cat", 1)).containsExactly(T5_END);
    }
    assertThatThrownBy(() -> ClipTokenizer.load(CLIP, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 2, got 1");
    assertThatThrownBy(() -> T5Tokenizer.load(T5, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 1, got 0");
  }

  @Test
  void length_fromConfigOrDefault() throws IOException {
    try (ClipTokenizer clip = ClipTokenizer.load(CLIP);
        T5Tokenizer t5 = T5Tokenizer.load(T5)) {
      assertThat(clip.length()).isEqualTo(77);
      assertThat(t5.length()).isEqualTo(512);
    }
    copy(T5, "tokenizer.json");
    config("{\"model_max_length\": 256}");
    try (T5Tokenizer t5 = T5Tokenizer.load(folder)) {
      assertThat(t5.length()).isEqualTo(256);
    }
    config("{\"model_max_length\": 1000000000000000019884624838656}"); // "no limit"
    try (T5Tokenizer t5 = T5Tokenizer.load(folder)) {
      assertThat(t5.length()).isEqualTo(512);
    }
  }

  @Test
  void ids_manyThreads_sameAsOne() throws Exception {
    try (ClipTokenizer clip = ClipTokenizer.load(CLIP);
        T5Tokenizer t5 = T5Tokenizer.load(T5)) {
      ExecutorService threads = Executors.newFixedThreadPool(8);
      try {
        List<Future<?>> results = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
          String prompt = "a photo of %d dogs by a window".formatted(i);
          long[] clipIds = clip.ids(prompt);
          long[] t5Ids = t5.ids(prompt);
          results.add(
              threads.submit(
                  () -> {
                    assertThat(clip.ids(prompt)).containsExactly(clipIds);
                    assertThat(t5.ids(prompt)).containsExactly(t5Ids);
                  }));
        }
        for (Future<?> result : results) {
          result.get(60, TimeUnit.SECONDS);
        }
      } finally {
        threads.shutdownNow();
      }
    }
  }

  @Test
  void ids_whileClosing_idsOrIllegalState() throws Exception {
    ClipTokenizer clip = ClipTokenizer.load(CLIP);
    ExecutorService threads = Executors.newFixedThreadPool(4);
    CountDownLatch running = new CountDownLatch(4);
    try {
      List<Future<Integer>> results = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        results.add(
            threads.submit(
                () -> {
                  int calls = 0;
                  try {
                    while (true) {
                      clip.ids("a photo of a small red cat");
                      if (calls++ == 0) {
                        running.countDown();
                      }
                    }
                  } catch (IllegalStateException e) {
                    assertThat(e).hasMessageContaining("closed");
                  }
                  return calls;
                }));
      }
      assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
      clip.close();
      clip.close();
      for (Future<Integer> result : results) {
        assertThat(result.get(60, TimeUnit.SECONDS)).isPositive();
      }
    } finally {
      clip.close(); // ends them, whatever failed
      threads.shutdownNow();
    }
  }

  @Test
  void load_noFolder_namesIt() {
    Path missing = folder.resolve("tokenizer");
    assertThatThrownBy(() -> ClipTokenizer.load(missing))
        .isInstanceOf(NotDirectoryException.class)
        .hasMessageContaining(missing.toString());
    assertThatThrownBy(() -> T5Tokenizer.load(missing)).isInstanceOf(NotDirectoryException.class);
  }

  @Test
  void load_missingFiles_listsWantedAndFound() throws IOException {
    copy(CLIP, "vocab.json");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("expected tokenizer.json, or vocab.json with merges.txt")
        .hasMessageContaining("found vocab.json");
    assertThatThrownBy(() -> T5Tokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(
            "expected tokenizer.json, which every FLUX.1 model brings in tokenizer_2, found vocab.json");
  }

  @Test
  void load_damagedDefinition_namesFolder() throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), "{\"version\": \"1.0\", ");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining("no usable tokenizer definition");
  }

  @Test
  void load_otherKindOfTokenizer_saysWhatDiffers() {
    assertThatThrownBy(() -> ClipTokenizer.load(T5))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("this one adds 1");
    assertThatThrownBy(() -> T5Tokenizer.load(CLIP))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("this one adds 2");
  }

  @Test
  void load_damagedConfig_namesFile() throws IOException {
    copy(T5, "tokenizer.json");
    config("[1]");
    assertThatThrownBy(() -> T5Tokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("tokenizer_config.json: expected a JSON object");
  }

  @Test
  void load_mergeOfUnknownSymbol_namesLine() throws IOException {
    copy(CLIP, "vocab.json");
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\ni n\nzzz qqq\n");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("merges.txt: line 3: 'zzz' is not in vocab.json");
  }

  @Test
  void load_mergeLineWithoutPair_namesLine() throws IOException {
    copy(CLIP, "vocab.json");
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\nin\n");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("line 2: expected two symbols")
        .hasMessageContaining("'in'");
  }

  @Test
  void load_vocabularyWithoutSpecialTokens_namesToken() throws IOException {
    Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0}");
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n");
    assertThatThrownBy(() -> ClipTokenizer.load(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("expected an id for <|startoftext|>");
  }

  private void copy(Path from, String name) throws IOException {
    if (Files.notExists(from.resolve(name))) {
      throw new NoSuchFileException(from.resolve(name).toString());
    }
    Files.copy(from.resolve(name), folder.resolve(name));
  }

  private void config(String json) throws IOException {
    Files.writeString(folder.resolve("tokenizer_config.json"), json);
  }
}
