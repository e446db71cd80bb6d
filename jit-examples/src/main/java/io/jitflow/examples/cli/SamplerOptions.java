package io.jitflow.examples.cli;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.check.Checks;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that choose the sampler. */
final class SamplerOptions {
  private static final String BEST = "second_order_7x";

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      arity = "0..1",
      fallbackValue = BEST,
      description =
          "Use the Just-in-Time sampler: default_4x or default_7x, the paper's settings, or"
              + " second_order_4x, _7x, _10x or _13x, chosen by measurement. Without a name:"
              + " ${FALLBACK-VALUE}. Without --preset the standard sampler runs.")
  private String preset;

  @Option(
      names = "--speedup",
      paramLabel = "X",
      description =
          "Use the Just-in-Time sampler with the measured settings that save about X times the"
              + " computation of 50 steps, from 2 to 14.")
  private Double speedup;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "Number of steps. Default: the preset's; for the standard sampler 50 with dev, 4 with"
              + " schnell.")
  private Integer steps;

  @Option(
      names = "--as-released",
      description = "With --preset: the settings of the authors' release instead of the paper's.")
  private boolean asReleased;

  /**
   * The sampler that these options ask for; empty if they leave it open.
   *
   * @param standard the model's own schedule
   * @throws IllegalArgumentException if they do not fit together or a preset is unknown
   */
  Optional<Sampler> sampler(SigmaSchedule standard) {
    check();
    if (isJit()) {
      return Optional.of(new JitSampler(config()));
    }
    return steps == null ? Optional.empty() : Optional.of(new EulerSampler(standard, steps));
  }

  /** Checks what can be checked before a model is known. */
  void check() {
    if (preset != null && speedup != null) {
      throw new IllegalArgumentException("--preset and --speedup exclude each other");
    } else if (isJit()) {
      config();
    } else if (asReleased) {
      throw new IllegalArgumentException("--as-released needs a --preset");
    } else if (steps != null) {
      checkSteps(steps);
    }
  }

  /** Checks the number of steps of a standard sampler. */
  static void checkSteps(int steps) {
    Checks.range("--steps", steps, 1, Checks.LARGEST_STEPS);
  }

  private boolean isJit() {
    return preset != null || speedup != null;
  }

  private JitConfig config() {
    JitConfig config = preset != null ? JitConfig.preset(preset) : JitConfig.forSpeedup(speedup);
    if (asReleased) {
      config = config.asReleased();
    }
    return steps == null ? config : config.withSteps(steps);
  }

  /** A sampler in a few words. */
  static String describe(Sampler sampler) {
    if (sampler instanceof JitSampler jit) {
      JitConfig config = jit.config();
      for (String name : JitConfig.presets()) {
        if (config.equals(JitConfig.preset(name))) {
          return "JiT " + name;
        }
        if (config.equals(JitConfig.preset(name).asReleased())) {
          return "JiT " + name + " as released";
        }
      }
      return "JiT with own settings";
    }
    return sampler instanceof EulerSampler ? "standard" : sampler.getClass().getSimpleName();
  }
}
