package io.jitflow.flux.djl;

import ai.djl.Model;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.modality.cv.Image;
import ai.djl.translate.TranslateException;
import ai.djl.translate.Translator;
import ai.djl.translate.TranslatorFactory;
import ai.djl.util.Pair;
import io.jitflow.core.SamplingListener;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.ImageSettings;
import io.jitflow.flux.json.JsonFaults;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Set;

/**
 * Makes the translators of a model that {@link FluxBlockFactory} loaded.
 *
 * <p>Three pairs of types:
 *
 * <ul>
 *   <li>{@link ImageRequest} to {@link GeneratedImages};
 *   <li>{@code String}, a prompt, to {@link Image};
 *   <li>{@link Input} to {@link Output}, as DJL Serving calls it: the content is a JSON object with
 *       {@code prompt} and, if wanted, {@code widthPx}, {@code heightPx}, {@code seed}, {@code
 *       preset}, {@code steps}, {@code guidance}, {@code negativePrompt} and {@code trueCfgScale};
 *       the answer is one PNG file with the properties {@code Content-Type}, {@code seed} and
 *       {@code millis}.
 * </ul>
 *
 * <p>The last two take what a call leaves open from the model's arguments {@code widthPx}, {@code
 * heightPx}, {@code preset}, {@code steps} and {@code guidance}. A wrong value ends in a {@link
 * TranslateException} with the reason. A call whose {@link Input} is cancelled ends within one
 * step.
 */
public final class FluxTranslatorFactory implements TranslatorFactory {

  private static final long serialVersionUID = 1L;

  private static final JsonFaults FAULTS = (problem, cause) -> new IOException(problem, cause);

  /** For DJL, which makes it from its name. */
  public FluxTranslatorFactory() {}

  @Override
  public Set<Pair<Type, Type>> getSupportedTypes() {
    return Set.of(
        new Pair<>(ImageRequest.class, GeneratedImages.class),
        new Pair<>(String.class, Image.class),
        new Pair<>(Input.class, Output.class));
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if the types are not supported
   * @throws TranslateException if an argument is out of range
   */
  @Override
  public <I, O> Translator<I, O> newInstance(
      Class<I> input, Class<O> output, Model model, Map<String, ?> arguments)
      throws TranslateException {
    ImageSettings usual;
    try {
      usual = Arguments.settings(arguments);
    } catch (IllegalArgumentException e) {
      throw new TranslateException(e.getMessage(), e);
    }
    Translator<?, ?> translator;
    if (input == ImageRequest.class && output == GeneratedImages.class) {
      translator =
          new FluxTranslator<ImageRequest, GeneratedImages>(
              (request, pipeline) -> request, images -> images);
    } else if (input == String.class && output == Image.class) {
      translator =
          new FluxTranslator<String, Image>(
              (prompt, pipeline) -> usual.request(prompt, pipeline.schedule()),
              images -> images.images().get(0));
    } else if (input == Input.class && output == Output.class) {
      translator =
          new FluxTranslator<Input, Output>(
              (call, pipeline) -> read(call, usual, pipeline), FluxTranslatorFactory::png);
    } else {
      throw new IllegalArgumentException(
          "expected one of the types %s, got %s and %s"
              .formatted(getSupportedTypes(), input.getName(), output.getName()));
    }
    @SuppressWarnings("unchecked") // the classes were compared
    Translator<I, O> typed = (Translator<I, O>) translator;
    return typed;
  }

  private static ImageRequest read(Input call, ImageSettings usual, FluxPipeline pipeline)
      throws IOException {
    if (call.getData() == null) {
      throw new IOException("expected a JSON object with a \"prompt\", found no content");
    }
    StrictJson json = StrictJson.parse(call.getData().getAsString(), FAULTS);
    String prompt = json.string("prompt");
    ImageSettings settings = Arguments.settings(json);
    if (json.unread().isPresent()) {
      throw new IOException(json.unread().get() + " is no setting of an image");
    }
    return settings
        .orElse(usual)
        .request(prompt, pipeline.schedule())
        .withListener(SamplingListener.cancelledWhen(call::isCancelled));
  }

  private static Output png(GeneratedImages images) {
    Output output = new Output();
    output.addProperty("Content-Type", "image/png");
    output.addProperty("seed", Long.toString(images.request().seed().orElseThrow()));
    output.addProperty("millis", Long.toString(images.timings().total().toMillis()));
    output.add(images.toPng(0));
    return output;
  }
}
