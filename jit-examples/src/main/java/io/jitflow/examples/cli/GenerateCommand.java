package io.jitflow.examples.cli;

import io.jitflow.core.Sampler;
import io.jitflow.examples.bench.Amounts;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageOrigin;
import io.jitflow.flux.image.ImageRequest;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code jit generate}: prompt to PNG files. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Draw what a prompt says and save it as PNG.",
      "",
      "The file carries the complete request; --from makes the same image again, bit for bit on the"
          + " same machine, or a variation if further options are given.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  jit generate --model dev-bundle --prompt \"a red fox in snow\" -o fox.png",
      "  jit generate --model dev-bundle --prompt \"a red fox\" --preset default_7x --seed 42",
      "  jit generate --model dev-bundle --from fox.png -o again.png",
      "  jit generate --model dev-bundle --from fox.png --seed 7 -o other.png",
      ""
    })
final class GenerateCommand implements Callable<Integer> {

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "What to draw, in quotation marks.")
  private String prompt;

  @Option(
      names = "--from",
      paramLabel = "IMAGE.png",
      description = "Start from the request in this image, which this program saved.")
  private Path from;

  @Option(
      names = {"-c", "--count"},
      paramLabel = "N",
      description = "How many images, with the seeds seed, seed + 1, ... Default: 1.")
  private Integer count;

  @Mixin private RequestOptions options;
  @Mixin private EditOptions edits;
  @Mixin private SamplerOptions samplers;
  @Mixin private OutputOption output;
  @Mixin private ModelOption model;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();

    // 1. what to draw, checked before anything is loaded
    Optional<ImageOrigin> origin =
        from == null ? Optional.empty() : Optional.of(ImageOrigin.read(from));
    ImageRequest request;
    Path file;
    try {
      request = request(origin);
      file = output.file(request.count());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }

    // 2. load, 3. generate
    GeneratedImages images;
    try (FluxPipeline pipeline = model.load(main.interrupt(), err)) {
      Sampler sampler =
          samplers
              .sampler(pipeline.schedule())
              .or(request::sampler)
              .orElseGet(pipeline::standardSampler);
      checkFits(sampler, request);
      try (Progress progress =
          Progress.ofSteps("denoise", (long) sampler.steps() * request.count())) {
        StepRecorder recorder = new StepRecorder(main.interrupt(), progress);
        images = pipeline.generate(request.withSampler(sampler).withListener(recorder));
      }
    }

    // 4. save, and tell
    List<Path> files = images.save(file);
    for (int i = 0; i < files.size(); i++) {
      ImageRequest made = images.request().single(i);
      out.printf(
          "%s: %d x %d px, seed %d, %s, %d steps%n",
          files.get(i),
          made.widthPx(),
          made.heightPx(),
          made.seed().orElseThrow(),
          SamplerOptions.describe(made.sampler().orElseThrow()),
          made.sampler().orElseThrow().steps());
    }
    out.printf(
        "time: tokenise %s, encode %s, noise %s, denoise %s, decode %s%n",
        Amounts.time(images.timings().tokenise()),
        Amounts.time(images.timings().encode()),
        Amounts.time(images.timings().noise()),
        Amounts.time(images.timings().denoise()),
        Amounts.time(images.timings().decode()));
    out.flush();
    origin.map(ImageOrigin::remarks).stream()
        .flatMap(List::stream)
        .forEach(remark -> err.println("note: " + remark));
    images.remarks().forEach(remark -> err.println("note: " + remark));
    if (origin.isPresent() && !origin.get().model().equals(images.model())) {
      err.printf(
          "note: %s was made with the model %s; this is %s, so the images differ%n",
          from, origin.get().model(), images.model());
    }
    err.flush();
    return 0;
  }

  private ImageRequest request(Optional<ImageOrigin> origin) throws IOException {
    samplers.check();
    if (prompt == null && origin.isEmpty()) {
      throw new IllegalArgumentException("give a --prompt, or --from an image to make again");
    }
    if (prompt != null && prompt.isBlank()) {
      throw new IllegalArgumentException("the --prompt is empty; say what to draw");
    }
    ImageRequest request =
        origin.map(ImageOrigin::request).orElseGet(() -> ImageRequest.of(prompt));
    if (prompt != null) {
      request = request.withPrompt(prompt);
    }
    return edits.applyTo(options.applyTo(count == null ? request : request.withCount(count)));
  }

  private void checkFits(Sampler sampler, ImageRequest request) {
    try {
      sampler.check(request.grid());
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
