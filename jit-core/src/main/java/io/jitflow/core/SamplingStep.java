package io.jitflow.core;

import io.jitflow.core.token.TokenSubset;
import java.time.Duration;

/**
 * One finished step.
 *
 * @param step which step, from 0
 * @param steps the number of steps of the run
 * @param sigma the noise level at which the model was evaluated
 * @param stage the stage, from 0, which is the first and sparsest
 * @param stages the number of stages; 1 for {@link EulerSampler}
 * @param active the tokens that the model evaluated
 * @param elapsed time since the run began
 * @param modelTime the model's share of this step's time, waiting for its device included
 */
public record SamplingStep(
    int step,
    int steps,
    double sigma,
    int stage,
    int stages,
    TokenSubset active,
    Duration elapsed,
    Duration modelTime) {}
