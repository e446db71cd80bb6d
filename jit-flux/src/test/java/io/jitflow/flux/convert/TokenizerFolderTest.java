package io.jitflow.flux.convert;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TokenizerFolderTest {
  @TempDir Path folder;

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void copyTo_readOnlyFiles_makesWritableCopies() throws IOException {
    Path source = TinyCheckpoint.textEncoders(folder.resolve("model")).resolve("tokenizer");
    Path merges = source.resolve("merges.txt");
    Files.setPosixFilePermissions(merges, PosixFilePermissions.fromString("r--r--r--"));
    Path copies = folder.resolve("copies");
    TokenizerFolder.clip(source).copyTo(copies);
    Path copy = copies.resolve("merges.txt");
    assertThat(copy).hasSameBinaryContentAs(merges);
    // root may write what is read-only, so that the permission itself is looked at
    assertThat(Files.getPosixFilePermissions(copy)).contains(PosixFilePermission.OWNER_WRITE);
  }
}
