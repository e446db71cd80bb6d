package io.jitflow.examples.scenes;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Tells the attributes of a picture: a small convolutional network trained on rendered scenes.
 *
 * <p>Reads any picture whose sides are multiples of 128 px, reduced to 128 x 128 px by averaging.
 */
final class SceneClassifier implements AutoCloseable {
  private static final int SIDE = 128;
  private static final List<Attribute> ATTRIBUTES = List.of(Attribute.values());

  private final Model model;

  private SceneClassifier(Model model) {
    this.model = model;
  }

  /**
   * What the classifier says of one picture.
   *
   * @param values the most likely value of every attribute
   * @param features what it bases that on, for Fréchet distances
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Reading(Map<Attribute, Integer> values, double[] features) {}

  /**
   * Loads the classifier.
   *
   * @param torchscript {@code classifier.pt}
   * @throws IOException if the file cannot be read or is no such network
   */
  static SceneClassifier load(Path torchscript) throws IOException {
    Path file = torchscript.toAbsolutePath();
    Model model = Model.newInstance("classifier", "PyTorch");
    try {
      model.load(file.getParent(), file.getFileName().toString());
      SceneClassifier classifier = new SceneClassifier(model);
      classifier.read(new Picture(SIDE, SIDE, new float[3 * SIDE * SIDE]));
      return classifier;
    } catch (MalformedModelException | RuntimeException e) {
      model.close();
      throw new IOException(
          "%s is not a TorchScript file that this engine can load and that tells the attributes of scenes%s; give the classifier.pt of the model's folder"
              .formatted(file, e instanceof IllegalStateException ? ": " + e.getMessage() : ""),
          e);
    } catch (IOException e) {
      model.close();
      throw e;
    }
  }

  /** Reads a picture. */
  Reading read(Picture picture) {
    Picture small = picture.reduced(SIDE, SIDE);
    float[] planes = new float[small.rgb.length];
    for (int i = 0; i < SIDE * SIDE; i++) {
      for (int c = 0; c < 3; c++) {
        planes[c * SIDE * SIDE + i] = small.rgb[3 * i + c];
      }
    }
    try (NDManager scope = model.getNDManager().newSubManager()) {
      NDArray input = scope.create(planes, new Shape(1, 3, SIDE, SIDE));
      NDList out =
          model
              .getBlock()
              .forward(new ParameterStore(model.getNDManager(), false), new NDList(input), false);
      float[] logits = out.get(0).toFloatArray();
      float[] features = out.get(1).toFloatArray();
      int choices = ATTRIBUTES.stream().mapToInt(attribute -> attribute.choices().size()).sum();
      if (logits.length != choices) {
        throw new IllegalStateException(
            "the classifier has %d outputs, the attributes have %d values"
                .formatted(logits.length, choices));
      }
      Map<Attribute, Integer> values = new EnumMap<>(Attribute.class);
      int first = 0;
      for (Attribute attribute : ATTRIBUTES) {
        int best = 0;
        for (int k = 1; k < attribute.choices().size(); k++) {
          best = logits[first + k] > logits[first + best] ? k : best;
        }
        values.put(attribute, best);
        first += attribute.choices().size();
      }
      double[] wide = new double[features.length];
      for (int i = 0; i < wide.length; i++) {
        wide[i] = features[i];
      }
      return new Reading(values, wide);
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
