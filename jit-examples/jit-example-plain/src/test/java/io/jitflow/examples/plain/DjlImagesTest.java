package io.jitflow.examples.plain;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.flux.mini.FluxMini;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DjlImagesTest {

  @Test
  void main_sameRequest_writesThePngOfThePlainProgram(@TempDir Path folder) throws Exception {
    String bundle = FluxMini.bundle().toString();
    Path plain = folder.resolve("plain.png");
    Path djl = folder.resolve("djl.png");
    PlainImages.main(new String[] {bundle, "red apple", plain.toString()});
    DjlImages.main(
        new String[] {bundle, "{\"prompt\": \"red apple\", \"seed\": 1}", djl.toString()});
    assertThat(djl).hasSameBinaryContentAs(plain);
  }
}
