package io.jitflow.examples.bench;

import ai.djl.Device;
import io.jitflow.core.EulerSampler;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxOptions.Arithmetic;
import io.jitflow.flux.FluxOptions.MemoryPolicy;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.MemoryPlan;
import io.jitflow.flux.PipelineListener;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.file.Verification;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.network.FluxArchitecture;
import io.jitflow.flux.weights.DType;
import io.jitflow.flux.weights.FluxNetwork;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Peak memory of a process that draws one picture under a memory policy, beside what the pipeline's
 * formula says. One policy a process: a heap that has grown does not shrink.
 */
public final class PolicyBenchmark {
  private static final int STEPS = 1;
  private static final double GB = 1e9;

  private PolicyBenchmark() {}

  /**
   * What is measured.
   *
   * @param model a bundle with tokenizers and a schedule
   * @param folder where the bundle with random weights is, or is made
   * @param architecture the transformer
   * @param t5Layers layers of T5, of 24
   * @param weights F32, BF16 or I8
   * @param arithmetic in which type the networks compute
   * @param policy what is in memory at the same time
   * @param sizePx width and height of the picture
   * @param textTokens text tokens
   */
  public record Setup(
      Path model,
      Path folder,
      FluxArchitecture architecture,
      int t5Layers,
      DType weights,
      Arithmetic arithmetic,
      MemoryPolicy policy,
      int sizePx,
      int textTokens) {}

  /**
   * Checks that the bundle with random weights, if there is one, is what is asked for.
   *
   * @throws IllegalArgumentException if it is another
   * @throws IOException if it cannot be read
   */
  public static void check(Setup setup) throws IOException {
    if (Files.notExists(setup.folder().resolve(FluxBundle.MANIFEST))) {
      return;
    }
    FluxBundle found = FluxBundle.read(setup.folder());
    if (!found.transformer().equals(setup.architecture())
        || found.textEncoder2().layers() != setup.t5Layers()
        || found.dtype(FluxNetwork.TRANSFORMER) != setup.weights()
        || found.dtype(FluxNetwork.TEXT_ENCODER_2) != setup.weights()) {
      throw new IllegalArgumentException(
          "%s: expected %s, found %s; ask for what it holds, or name another --bundle"
              .formatted(
                  setup.folder(),
                  describe(setup.architecture(), setup.t5Layers(), setup.weights()),
                  describe(
                      found.transformer(),
                      found.textEncoder2().layers(),
                      found.dtype(FluxNetwork.TRANSFORMER))));
    }
  }

  private static String describe(FluxArchitecture transformer, int t5Layers, DType weights) {
    return "%d + %d blocks of width %d, %d layers of T5, weights %s"
        .formatted(
            transformer.doubleBlocks(),
            transformer.singleBlocks(),
            transformer.hiddenSize(),
            t5Layers,
            weights);
  }

  /** Measures and prints a row of a Markdown table; {@link #check} goes before. */
  public static void run(PrintStream out, Setup setup) throws IOException {
    if (Files.notExists(setup.folder().resolve(FluxBundle.MANIFEST))) {
      RandomBundle.write(
          setup.folder(),
          FluxBundle.read(setup.model()),
          setup.architecture(),
          setup.t5Layers(),
          setup.weights());
    }
    FluxOptions options =
        FluxOptions.defaults()
            .withDevice(Device.cpu())
            .withMemory(setup.policy())
            .withArithmetic(setup.arithmetic())
            .withVerification(Verification.NONE);
    Phases phases = new Phases();
    try (ProcessMemory.Watch watch = ProcessMemory.watch();
        FluxPipeline pipeline = FluxPipeline.load(setup.folder(), options, phases::begin)) {
      FluxBundle bundle = FluxBundle.read(pipeline.bundle());
      ImageRequest request =
          ImageRequest.of("a red fox in snow")
              .withSize(setup.sizePx(), setup.sizePx())
              .withTextTokens(setup.textTokens())
              .withSeed(1)
              .withSampler(new EulerSampler(pipeline.schedule(), STEPS));
      MemoryPlan plan = pipeline.memoryPlan(request);
      double formula = Objects.requireNonNull(plan.needed().get(plan.policy())) / GB;
      GeneratedImages drawn = pipeline.generate(request);
      phases.end();
      out.printf(
          "| %s | %s | %s | %d px, %d text | %.2f | %.2f | %+.0f %% | %.2f | %s | %.1f | %.1f |%n",
          plan.policy(),
          bundle.dtype(FluxNetwork.TRANSFORMER),
          setup.arithmetic(),
          setup.sizePx(),
          setup.textTokens(),
          formula,
          phases.peak() / GB,
          100 * (phases.peak() / GB / formula - 1),
          watch.peakAnonymous() / GB,
          phases,
          drawn.timings().encode().toMillis() / 1e3,
          drawn.timings().denoise().toMillis() / 1e3);
    }
  }

  /** The peak of resident memory in each phase. */
  private static final class Phases {
    private final Map<String, Long> peaks = new LinkedHashMap<>();
    private String current = "start";

    void begin(PipelineListener.Activity activity) {
      end();
      current =
          activity.phase() == PipelineListener.Phase.LOAD
              ? "load " + activity.item()
              : activity.phase().name().toLowerCase(Locale.ROOT);
    }

    void end() {
      peaks.merge(current, ProcessMemory.peak().orElse(0), Math::max);
      ProcessMemory.resetPeak();
    }

    long peak() {
      return Collections.max(peaks.values());
    }

    @Override
    public String toString() {
      return peaks.entrySet().stream()
          .map(
              phase -> String.format(Locale.ROOT, "%s %.2f", phase.getKey(), phase.getValue() / GB))
          .collect(Collectors.joining(", "));
    }
  }
}
