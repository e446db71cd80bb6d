package io.jitflow.examples.cli;

import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.ImageRequest.StartImage;
import io.jitflow.flux.image.Inpainting;
import io.jitflow.flux.image.SourceImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** The options for requests that start from a picture. */
final class EditOptions {
  private static final double DEFAULT_STRENGTH = 0.6;

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "Start from this picture; its sides are multiples of 16 px.")
  private Path image;

  @Option(
      names = "--strength",
      paramLabel = "SHARE",
      description =
          "How much of --image is drawn anew: 0 gives it back, 1 starts from noise. Default: 0.6;"
              + " 1 with --mask.")
  private Double strength;

  @Option(
      names = "--mask",
      paramLabel = "FILE",
      description = "Draw only what is white in this picture; the rest of --image stays as it is.")
  private Path mask;

  @Option(
      names = "--feather",
      paramLabel = "PX",
      description = "How wide the transition inside the white part is. Default: 8.")
  private Integer featherPx;

  @Option(
      names = "--context",
      paramLabel = "WHICH",
      description =
          "What the network sees of the part that stays: ${COMPLETION-CANDIDATES}. sparse is"
              + " faster. Default: all.")
  private ContextName context;

  @Option(
      names = "--second-pass",
      paramLabel = "STRENGTH",
      description =
          "Draw at half the size, enlarge, and draw again from that at the full size, as strongly"
              + " as this says, for example 0.6.")
  private Double secondPass;

  /** {@link Inpainting.Context} in the words of a command line. */
  enum ContextName {
    all(Inpainting.Context.ALL),
    sparse(Inpainting.Context.SPARSE);

    private final Inpainting.Context context;

    ContextName(Inpainting.Context context) {
      this.context = context;
    }
  }

  /** The files that are read. */
  List<Path> files() {
    return Stream.of(image, mask).filter(Objects::nonNull).toList();
  }

  /**
   * The request with these options.
   *
   * @throws IOException if a picture cannot be read
   * @throws IllegalArgumentException if they do not fit together
   */
  ImageRequest applyTo(ImageRequest request) throws IOException {
    if (image == null && request.start().isEmpty()) {
      if (strength != null || mask != null || featherPx != null || context != null) {
        throw new IllegalArgumentException(
            "--strength, --mask, --feather and --context say what happens to an --image, which is"
                + " not given");
      }
      return secondPass == null ? request : request.withSecondPass(secondPass);
    }
    if (secondPass != null) {
      throw new IllegalArgumentException(
          "--second-pass draws from noise, --image starts from a picture: give one of them");
    }
    ImageRequest changed = request;
    Optional<SourceImage> picture =
        image == null
            ? request.start().map(StartImage::image)
            : Optional.of(SourceImage.read(image));
    double usual =
        request.start().map(StartImage::strength).orElse(mask == null ? DEFAULT_STRENGTH : 1);
    SourceImage source = picture.orElseThrow();
    if (!source.hasPixels()) {
      throw new IllegalArgumentException(
          "--from starts from a picture that files do not carry: give it again with --image (%s)"
              .formatted(source));
    }
    if (image != null && request.inpainting().isPresent() && mask == null) {
      throw new IllegalArgumentException(
          "--from names a mask too, which files do not carry: give --mask again");
    }
    if (request.inpainting().isPresent()
        && (source.widthPx() != request.widthPx() || source.heightPx() != request.heightPx())) {
      throw new IllegalArgumentException(
          "--from has a mask of %d x %d px, the --image has %d x %d px: give one of that size, or a --prompt instead of --from"
              .formatted(
                  request.widthPx(), request.heightPx(), source.widthPx(), source.heightPx()));
    }
    changed = changed.withImage(source, strength == null ? usual : strength);
    if (mask != null) {
      Inpainting before = request.inpainting().orElse(null);
      changed =
          changed.withMask(
              new Inpainting(
                  SourceImage.read(mask),
                  featherPx != null
                      ? featherPx
                      : before == null ? ImageRequest.DEFAULT_FEATHER_PX : before.featherPx(),
                  context != null
                      ? context.context
                      : before == null ? Inpainting.Context.ALL : before.context()));
    } else if (featherPx != null || context != null) {
      throw new IllegalArgumentException(
          "--feather and --context belong to a --mask, which is not given");
    }
    return changed;
  }
}
