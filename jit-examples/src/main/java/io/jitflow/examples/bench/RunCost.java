package io.jitflow.examples.bench;

import io.jitflow.core.SamplingStep;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * What the network computed in a run.
 *
 * @param tokens image tokens in all forward passes
 * @param flops floating-point operations of all forward passes
 */
public record RunCost(long tokens, double flops) {

  /** What a pipeline runs. */
  static FluxBundle bundle(FluxPipeline pipeline) {
    try {
      return FluxBundle.read(pipeline.bundle());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The network that a pipeline runs. */
  public static FluxArchitecture transformer(FluxPipeline pipeline) {
    return bundle(pipeline).transformer();
  }

  /** The type of its weights. */
  public static String transformerType(FluxPipeline pipeline) {
    return bundle(pipeline).dtype(FluxNetwork.TRANSFORMER).toString();
  }

  /** Floating-point operations of a forward pass over all tokens of a request's answer. */
  public static double fullForward(FluxArchitecture transformer, ImageRequest request) {
    return transformer.forwardFlops(request.grid().tokens(), request.textTokens().orElseThrow());
  }

  /** The cost of the steps of one image; the request is the answer's, with its text tokens. */
  public static RunCost of(
      FluxArchitecture transformer, ImageRequest request, List<SamplingStep> steps) {
    int textTokens = request.textTokens().orElseThrow();
    long tokens = 0;
    double flops = 0;
    for (SamplingStep step : steps) {
      tokens += step.active().count();
      flops += transformer.forwardFlops(step.active().count(), textTokens);
    }
    return new RunCost(tokens, flops);
  }
}
