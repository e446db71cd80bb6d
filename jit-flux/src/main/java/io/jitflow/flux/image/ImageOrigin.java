package io.jitflow.flux.image;

import com.google.gson.JsonObject;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where an image came from: the request, and the model that served it. PNG files carry it as JSON
 * text under the keyword {@code jitflow}; of files that other programs saved, what their text under
 * {@code parameters} tells is read.
 *
 * @param request the complete request of this one image, without a listener
 * @param model what the pipeline calls its model, for example a name and a hash of the weights
 * @param remarks what the file could not bring back, in whole sentences: a sampler that is not of
 *     this library is only named in it, and left open in the request
 */
public record ImageOrigin(ImageRequest request, String model, List<String> remarks) {

  /**
   * Checks that all are there.
   *
   * @param request of one image
   * @param model a name
   * @param remarks copied
   */
  public ImageOrigin {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(model, "model");
    remarks = List.copyOf(remarks);
  }

  /**
   * Reads it from a PNG file.
   *
   * @param png a file saved by {@link GeneratedImages#save}, or by another program that writes its
   *     {@code parameters}
   * @return the origin
   * @throws IOException if the file cannot be read, is no PNG or carries no request
   */
  public static ImageOrigin read(Path png) throws IOException {
    if (!Files.isRegularFile(png)) {
      throw new NoSuchFileException(png.toString(), null, "expected a PNG file");
    }
    return read(PngFile.of(png));
  }

  /**
   * Reads it from a PNG file in memory.
   *
   * @param png the content of such a file, as of {@link GeneratedImages#toPng}
   * @return the origin
   * @throws IOException if it is no PNG or carries no request
   */
  public static ImageOrigin read(byte[] png) throws IOException {
    return read(PngFile.of(png));
  }

  private static ImageOrigin read(PngFile png) throws IOException {
    Optional<String> own = PngText.read(png);
    if (own.isEmpty()) {
      return ofOthers(png);
    }
    String text = own.get();
    StrictJson json = StrictJson.parse(text, (problem, cause) -> damaged(png, problem, cause));
    if (RequestJson.isLater(json)) {
      throw later(png, "format " + json.integer("format"));
    }
    try {
      ImageOrigin origin =
          new ImageOrigin(RequestJson.read(json), json.string("model"), remarks(png, json));
      Optional<String> unread = json.unread();
      if (unread.isPresent()) {
        throw later(png, unread.get());
      }
      return origin;
    } catch (IllegalArgumentException e) {
      throw damaged(png, e.getMessage(), e);
    }
  }

  /** A file of another program: what its parameters tell. */
  private static ImageOrigin ofOthers(PngFile png) throws IOException {
    String text =
        PngText.readParameters(png)
            .orElseThrow(
                () ->
                    new PngException(
                        png
                            + ": no request in this PNG file (neither a text \""
                            + PngText.KEYWORD
                            + "\" nor \""
                            + ParametersText.KEYWORD
                            + "\"); images saved by this program and by common web interfaces carry"
                            + " one, and editing or re-compressing them may remove it"));
    try {
      ParametersText.Read read = ParametersText.read(text);
      return new ImageOrigin(
          read.request(),
          read.model(),
          read.remarks().stream().map(remark -> png + ": " + remark).toList());
    } catch (IllegalArgumentException e) {
      throw new PngException(
          png + ": the parameters in this PNG file cannot be used: " + e.getMessage(), e);
    }
  }

  private static List<String> remarks(PngFile png, StrictJson json) throws IOException {
    Optional<String> lost =
        json.has("sampler") ? SamplerJson.lost(json.object("sampler")) : Optional.empty();
    return lost.stream()
        .map(
            sampler ->
                "%s was made with a sampler of its own, %s, which a file cannot bring back; give one to make the same image"
                    .formatted(png, sampler))
        .toList();
  }

  private static PngException damaged(
      PngFile png, @Nullable String problem, @Nullable Throwable cause) {
    return new PngException(png + ": the request in this PNG file is damaged: " + problem, cause);
  }

  private static PngException later(PngFile png, String unknown) {
    return new PngException(
        "%s: the request in this PNG file was written by a later version (%s is unknown here); use that version"
            .formatted(png, unknown));
  }

  String toJson() {
    JsonObject json = RequestJson.write(request);
    json.addProperty("model", model);
    return escapeUnpairedSurrogates(json.toString());
  }

  /** An unpaired surrogate has no UTF-8 form, but JSON can spell it. */
  private static String escapeUnpairedSurrogates(String json) {
    StringBuilder escaped = new StringBuilder(json.length());
    json.codePoints()
        .forEach(
            codePoint -> {
              if (Character.MIN_SURROGATE <= codePoint && codePoint <= Character.MAX_SURROGATE) {
                escaped.append("\\u%04x".formatted(codePoint));
              } else {
                escaped.appendCodePoint(codePoint);
              }
            });
    return escaped.toString();
  }
}
