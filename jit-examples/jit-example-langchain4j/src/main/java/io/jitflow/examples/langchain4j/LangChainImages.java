package io.jitflow.examples.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.model.output.Response;
import io.jitflow.langchain4j.FluxImageModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** One picture through LangChain4j. */
public final class LangChainImages {

  private LangChainImages() {}

  /**
   * Draws 256 x 256 px with seed 1.
   *
   * @param args the bundle folder, the prompt, the PNG file to write
   * @throws IOException if the file cannot be written
   */
  public static void main(String[] args) throws IOException {
    try (FluxImageModel model =
        FluxImageModel.builder()
            .bundle(Path.of(args[0]))
            .widthPx(256)
            .heightPx(256)
            .preset("second_order_7x")
            .seed(1)
            .build()) {
      Response<Image> answer = model.generate(args[1]);
      Files.write(Path.of(args[2]), Base64.getDecoder().decode(answer.content().base64Data()));
    }
  }
}
