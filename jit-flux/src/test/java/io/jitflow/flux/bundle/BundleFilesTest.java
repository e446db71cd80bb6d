package io.jitflow.flux.bundle;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.flux.file.Verification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BundleFilesTest {
  /** A file that lies where tests are run. */
  private static final String FILE = "pom.xml";

  private static void verify(String folder, String name) throws IOException {
    byte[] content = Files.readAllBytes(Path.of(FILE));
    CRC32C crc = new CRC32C();
    crc.update(content);
    BundleFiles.Entry entry =
        new BundleFiles.Entry(
            name,
            content.length,
            String.format(Locale.ROOT, "%08x", crc.getValue()),
            Optional.empty());
    BundleFiles.verify(Path.of(folder), List.of(entry), Verification.FAST, ReadProgress.NONE);
  }

  @ParameterizedTest
  @ValueSource(strings = {".", "", "src/..", "./src/../."})
  void verify_workingFolderByARelativePath_isRead(String folder) {
    assertThatCode(() -> verify(folder, FILE)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(strings = {"../pom.xml", "src/../../pom.xml", "/pom.xml"})
  void verify_nameThatLeadsOut_isRefused(String name) {
    assertThatThrownBy(() -> verify(".", name))
        .isInstanceOf(BundleException.class)
        .hasMessageContaining("found one that leads out of it");
  }
}
