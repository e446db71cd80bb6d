package io.jitflow.examples.plain;

import ai.djl.Application;
import ai.djl.ModelException;
import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import io.jitflow.flux.djl.FluxBlockFactory;
import io.jitflow.flux.djl.FluxTranslatorFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** One picture through DJL, with JSON in and PNG out, as DJL Serving calls a model. */
public final class DjlImages {

  private DjlImages() {}

  /**
   * Draws 256 x 256 px with seed 1.
   *
   * @param args the bundle folder, the JSON of the request, the PNG file to write
   * @throws IOException if the bundle cannot be read or the file cannot be written
   * @throws ModelException if the model cannot be loaded
   * @throws TranslateException if the request is wrong
   */
  public static void main(String[] args) throws IOException, ModelException, TranslateException {
    Criteria<Input, Output> criteria =
        Criteria.builder()
            .setTypes(Input.class, Output.class)
            .optApplication(Application.CV.IMAGE_GENERATION)
            .optModelPath(Path.of(args[0]))
            .optEngine("PyTorch")
            .optTranslatorFactory(new FluxTranslatorFactory())
            .optArgument("blockFactory", FluxBlockFactory.class.getName())
            .optArgument("preset", "second_order_7x")
            .optArgument("widthPx", "256")
            .optArgument("heightPx", "256")
            .optOption("hasParameter", "false")
            .build();
    try (ZooModel<Input, Output> model = criteria.loadModel();
        Predictor<Input, Output> predictor = model.newPredictor()) {
      Input input = new Input();
      input.add(args[1]);
      Files.write(Path.of(args[2]), predictor.predict(input).getData().getAsBytes());
    }
  }
}
