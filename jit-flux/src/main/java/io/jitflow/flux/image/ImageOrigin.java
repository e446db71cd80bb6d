package io.jitflow.flux.image;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Where an image came from: the request, and the model that served it. PNG files carry it as JSON
 * text under the keyword {@code jitflow}.
 *
 * @param request the complete request of this one image, without a listener
 * @param model what the pipeline calls its model, for example a name and a hash of the weights
 */
public record ImageOrigin(ImageRequest request, String model) {

  /**
   * Checks that both are there.
   *
   * @param request the complete request of this one image, without a listener
   * @param model what the pipeline calls its model, for example a name and a hash of the weights
   */
  public ImageOrigin {
    Objects.requireNonNull(request, "request");
    Objects.requireNonNull(model, "model");
  }

  /**
   * Reads it from a PNG file.
   *
   * @param png a file saved by {@link GeneratedImages#save}
   * @return the origin
   * @throws IOException if the file cannot be read, is no PNG or carries no request
   */
  public static ImageOrigin read(Path png) throws IOException {
    if (!Files.isRegularFile(png)) {
      throw new NoSuchFileException(png.toString(), null, "expected a PNG file");
    }
    String text =
        PngText.read(png)
            .orElseThrow(
                () ->
                    new IOException(
                        png
                            + ": no request in this PNG file (no text \""
                            + PngText.KEYWORD
                            + "\"); only images saved by this program carry one, and editing or"
                            + " re-compressing them may remove it"));
    try {
      JsonElement json = JsonParser.parseString(text);
      if (!json.isJsonObject()) {
        throw new IllegalArgumentException("expected a JSON object");
      }
      JsonObject origin = json.getAsJsonObject();
      return new ImageOrigin(RequestJson.read(origin), RequestJson.text(origin, "model"));
    } catch (IllegalArgumentException | JsonParseException e) {
      throw new IOException(
          png + ": the request in this PNG file is damaged: " + e.getMessage(), e);
    }
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
