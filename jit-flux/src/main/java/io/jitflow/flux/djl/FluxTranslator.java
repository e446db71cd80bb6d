package io.jitflow.flux.djl;

import ai.djl.ndarray.NDList;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorContext;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import java.io.IOException;

/** Requests to images through the pipeline of a {@link FluxBlock}; stateless. */
final class FluxTranslator<I, O> implements NoBatchifyTranslator<I, O> {

  private static final String REQUEST = "jitflow.request";

  private final Input<I> input;
  private final Output<O> output;

  FluxTranslator(Input<I> input, Output<O> output) {
    this.input = input;
    this.output = output;
  }

  /** Makes the request; an empty list skips the predictor's forward. */
  @Override
  public NDList processInput(TranslatorContext context, I value) throws TranslateException {
    try {
      context.setAttachment(REQUEST, input.request(value, pipeline(context)));
      return new NDList();
    } catch (IOException e) {
      throw new TranslateException(e.getMessage(), e);
    }
  }

  @Override
  public O processOutput(TranslatorContext context, NDList none) {
    ImageRequest request = (ImageRequest) context.getAttachment(REQUEST);
    return output.of(pipeline(context).generate(request));
  }

  private static FluxPipeline pipeline(TranslatorContext context) {
    if (context.getBlock() instanceof FluxBlock block) {
      return block.pipeline();
    }
    throw new IllegalStateException(
        "expected a model loaded with the argument blockFactory=%s, found a block of %s"
            .formatted(FluxBlockFactory.class.getName(), context.getBlock().getClass().getName()));
  }

  /** How a call's input says what to draw. */
  @FunctionalInterface
  interface Input<I> {
    ImageRequest request(I value, FluxPipeline pipeline) throws IOException;
  }

  /** What a call gives back. */
  @FunctionalInterface
  interface Output<O> {
    O of(GeneratedImages images);
  }
}
