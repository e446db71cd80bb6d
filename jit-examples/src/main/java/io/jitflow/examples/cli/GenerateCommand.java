package io.jitflow.examples.cli;

import io.jitflow.core.Sampler;
import io.jitflow.core.SamplingListener;
import io.jitflow.examples.bench.Amounts;
import io.jitflow.flux.FluxPipeline;
import io.jitflow.flux.bundle.FluxBundle;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.GeneratedImages.PhaseTimings;
import io.jitflow.flux.image.ImageOrigin;
import io.jitflow.flux.image.ImageRequest;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
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
      "  jit generate --model dev-bundle --prompt \"a red fox\" --preset second_order_7x --seed 42",
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

  @Option(
      names = "--preview",
      paramLabel = "FILE.png",
      description = "Write a small picture of what is emerging into this file after every step.")
  private Path preview;

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
    Optional<PreviewFile> previews;
    try {
      request = request(origin);
      file = output.file(request.count());
      previews = previews(GeneratedImages.files(file, request.count()));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }

    // 2. load, 3. generate, 4. save each image when it is there
    List<Path> files = GeneratedImages.files(file, request.count());
    List<PhaseTimings> timings = new ArrayList<>();
    GeneratedImages first = null;
    FluxBundle bundle = model.describe(main.interrupt(), err);
    Optional<Sampler> sampler = samplers.sampler(bundle.scheduler().schedule());
    ImageRequest all = sampler.isPresent() ? request.withSampler(sampler.get()) : request;
    try (Progress progress = new Progress();
        FluxPipeline pipeline =
            model.load(
                bundle, previews.map(all::withListener).orElse(all), main.interrupt(), progress)) {
      for (int i = 0; i < files.size(); i++) {
        if (files.size() > 1) {
          progress.prefix("image %d of %d: ".formatted(i + 1, files.size()));
        }
        StepRecorder recorder = new StepRecorder(main.interrupt(), progress);
        ImageRequest one = i == 0 ? all.withCount(1) : all.single(i);
        SamplingListener listener =
            previews.isPresent() ? recorder.andThen(previews.get()) : recorder;
        GeneratedImages images = pipeline.generate(one.withListener(listener));
        images.save(files.get(i));
        tell(out, files.get(i), images.request());
        timings.add(images.timings());
        if (i == 0) { // the other seeds follow the first, which may have been drawn just now
          all = all.withSeed(images.request().seed().orElseThrow());
          first = images;
        }
      }
    }

    // 5. tell
    out.printf(
        "time: tokenise %s, encode %s, noise %s, denoise %s, decode %s%n",
        total(timings, PhaseTimings::tokenise),
        total(timings, PhaseTimings::encode),
        total(timings, PhaseTimings::noise),
        total(timings, PhaseTimings::denoise),
        total(timings, PhaseTimings::decode));
    out.flush();
    origin.map(ImageOrigin::remarks).stream()
        .flatMap(List::stream)
        .forEach(remark -> err.println("note: " + Printable.of(remark)));
    first.remarks().forEach(remark -> err.println("note: " + Printable.of(remark)));
    if (origin.isPresent() && !origin.get().model().equals(first.model())) {
      err.printf(
          "note: %s was made with the model %s; this is %s, so the images differ%n",
          from, Printable.of(origin.get().model()), Printable.of(first.model()));
    }
    err.flush();
    return 0;
  }

  private static void tell(PrintWriter out, Path file, ImageRequest made) {
    out.printf(
        "%s: %d x %d px, seed %d, %s, %d steps%n",
        file,
        made.widthPx(),
        made.heightPx(),
        made.seed().orElseThrow(),
        SamplerOptions.describe(made.sampler().orElseThrow()),
        made.sampler().orElseThrow().steps());
    out.flush();
  }

  private static String total(List<PhaseTimings> timings, Function<PhaseTimings, Duration> phase) {
    return Amounts.time(timings.stream().map(phase).reduce(Duration.ZERO, Duration::plus));
  }

  private Optional<PreviewFile> previews(List<Path> images) {
    if (preview == null) {
      return Optional.empty();
    }
    List<Path> used = new ArrayList<>(images);
    used.addAll(edits.files());
    if (from != null) {
      used.add(from);
    }
    return Optional.of(new PreviewFile(preview, used));
  }

  private ImageRequest request(Optional<ImageOrigin> origin) throws IOException {
    samplers.check();
    if (prompt == null && origin.isEmpty()) {
      throw new IllegalArgumentException("give a --prompt, or --from an image to make again");
    }
    if (prompt != null) {
      RequestOptions.requireReadable("--prompt", prompt);
    }
    ImageRequest request =
        origin.map(ImageOrigin::request).orElseGet(() -> ImageRequest.of(prompt));
    if (prompt != null) {
      request = request.withPrompt(prompt);
    }
    // a picture brings its size; another --size after it is refused
    return options.applyTo(edits.applyTo(count == null ? request : request.withCount(count)));
  }
}
