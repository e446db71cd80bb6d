package io.jitflow.examples.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.examples.plain.PlainImages;
import io.jitflow.flux.mini.FluxMini;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LangChainImagesTest {

  @Test
  void main_sameRequest_writesThePngOfThePlainProgram(@TempDir Path folder) throws IOException {
    Path bundle = FluxMini.bundle();
    Path file = folder.resolve("apple.png");
    LangChainImages.main(new String[] {bundle.toString(), "red apple", file.toString()});
    assertThat(file).hasBinaryContent(PlainImages.png(bundle, "red apple"));
  }
}
