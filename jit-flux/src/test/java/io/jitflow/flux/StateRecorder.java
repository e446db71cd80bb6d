package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingRequest;
import io.jitflow.core.VelocityModel;
import java.util.List;

/**
 * Euler steps, as a sampler of one's own, that keep the state before each of them, and the last.
 */
class StateRecorder implements Sampler {
  final EulerSampler euler;
  final List<float[]> states;

  StateRecorder(EulerSampler euler, List<float[]> states) {
    this.euler = euler;
    this.states = states;
  }

  @Override
  public NDArray sample(VelocityModel model, SamplingRequest request) {
    NDArray latents =
        euler.sample(
            (tokens, at, sigma) -> {
              states.add(tokens.toFloatArray());
              return model.velocity(tokens, at, sigma);
            },
            request);
    states.add(latents.toFloatArray());
    return latents;
  }

  @Override
  public int steps() {
    return euler.steps();
  }
}
