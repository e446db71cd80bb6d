package io.jitflow.flux.fuzz;

import io.jitflow.core.testing.Fixtures;
import io.jitflow.flux.tokenizer.TokenizerProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** CLIP's tokenizer in two files, {@code vocab.json} and {@code merges.txt}, a NUL between them. */
class ClipVocabularyFuzzTest extends ForeignFile {
  private static final Path CLIP = Fixtures.folder("parity/tokenizers/clip");

  @Override
  Path file() {
    return scratch.resolve("together");
  }

  @Override
  void read() throws IOException {
    String[] texts = Files.readString(file(), StandardCharsets.ISO_8859_1).split("\0", 2);
    Path folder = Files.createDirectories(scratch.resolve("tokenizer"));
    Files.writeString(folder.resolve("vocab.json"), texts[0], StandardCharsets.ISO_8859_1);
    Files.writeString(
        folder.resolve("merges.txt"),
        texts.length > 1 ? texts[1] : "",
        StandardCharsets.ISO_8859_1);
    TokenizerProcess.shared().load(true, folder);
  }

  @Override
  byte[] whole() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(Files.readAllBytes(CLIP.resolve("vocab.json")));
    out.write(0);
    out.writeBytes(Files.readAllBytes(CLIP.resolve("merges.txt")));
    return out.toByteArray();
  }

  @Override
  int head() {
    return 20_000;
  }

  @Override
  int rounds() {
    return super.rounds() / 3;
  }
}
