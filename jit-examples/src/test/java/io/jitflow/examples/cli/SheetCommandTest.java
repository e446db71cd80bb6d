package io.jitflow.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SheetCommandTest {
  @TempDir Path folder;

  /** Neither the model nor the pictures exist: nothing was read before. */
  @Test
  void sheet_whereNoFolderIs_isRefusedAtOnce() {
    Console console =
        Console.run(
            "sheet",
            "--model",
            folder.resolve("model"),
            "--names",
            folder.resolve("names.json"),
            "--references",
            folder.resolve("references.png"),
            "-o",
            folder.resolve("nowhere/x.png"));
    assertThat(console.exitCode()).isEqualTo(2);
    assertThat(console.err())
        .contains("the sheet folder does not exist: " + folder.resolve("nowhere"));
  }
}
