package io.jitflow.flux.djl;

import ai.djl.ndarray.NDList;
import ai.djl.nn.AbstractSymbolBlock;
import ai.djl.nn.ParameterList;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import io.jitflow.flux.FluxPipeline;

/**
 * Carries a pipeline inside a DJL model.
 *
 * <p>An image takes many forwards of four networks, and a request is more than tensors; so {@link
 * FluxTranslator} calls the pipeline, and nothing passes through the one forward of a predictor.
 */
final class FluxBlock extends AbstractSymbolBlock {
  private final FluxPipeline pipeline;

  FluxBlock(FluxPipeline pipeline) {
    this.pipeline = pipeline;
  }

  FluxPipeline pipeline() {
    return pipeline;
  }

  @Override
  public ParameterList getDirectParameters() {
    return new ParameterList(); // the weights are inside the networks
  }

  @Override
  protected NDList forwardInternal(
      ParameterStore parameterStore,
      NDList inputs,
      boolean training,
      PairList<String, Object> params) {
    throw new UnsupportedOperationException(
        "a FLUX pipeline has no single forward; use a translator of FluxTranslatorFactory");
  }
}
