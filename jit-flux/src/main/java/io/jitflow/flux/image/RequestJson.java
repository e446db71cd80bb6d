package io.jitflow.flux.image;

import com.google.gson.JsonObject;
import io.jitflow.core.Sampler;
import io.jitflow.flux.json.StrictJson;
import java.io.IOException;
import java.util.Optional;

/**
 * The JSON text of a request; {@code format} changes when older readers would misread it.
 *
 * <p>Reading goes through {@link ImageRequest}'s own methods, so a changed file cannot make a
 * request that code could not.
 */
final class RequestJson {

  private static final int FORMAT = 1;

  private RequestJson() {}

  static JsonObject write(ImageRequest request) {
    JsonObject json = new JsonObject();
    json.addProperty("format", FORMAT);
    json.addProperty("prompt", request.prompt());
    if (request.negativePrompt().isPresent()) {
      json.addProperty("negativePrompt", request.negativePrompt().get());
      json.addProperty("trueCfgScale", request.trueCfgScale());
    }
    json.addProperty("widthPx", request.widthPx());
    json.addProperty("heightPx", request.heightPx());
    json.addProperty("guidance", request.guidance());
    if (request.seed().isPresent()) {
      json.addProperty("seed", request.seed().getAsLong());
    }
    json.addProperty("count", request.count());
    if (request.textTokens().isPresent()) {
      json.addProperty("textTokens", request.textTokens().getAsInt());
    }
    if (request.sampler().isPresent()) {
      json.add("sampler", SamplerJson.write(request.sampler().get()));
    }
    request.secondPass().ifPresent(strength -> json.addProperty("secondPassStrength", strength));
    request
        .start()
        .ifPresent(
            start -> {
              JsonObject image = new JsonObject();
              image.addProperty("sha256", start.image().sha256());
              image.addProperty("strength", start.strength());
              json.add("image", image);
            });
    request
        .inpainting()
        .ifPresent(
            part -> {
              JsonObject mask = new JsonObject();
              mask.addProperty("sha256", part.mask().sha256());
              mask.addProperty("featherPx", part.featherPx());
              mask.addProperty("context", part.context().name());
              json.add("mask", mask);
            });
    return json;
  }

  /** Whether a text is of a format that only a later version can read. */
  static boolean isLater(StrictJson json) throws IOException {
    return json.integer("format") > FORMAT;
  }

  /**
   * Reads a request; a sampler that a text cannot bring back is left open.
   *
   * @throws IOException if a value is missing, of another type or unknown
   * @throws IllegalArgumentException if a value is out of range
   */
  static ImageRequest read(StrictJson json) throws IOException {
    int format = json.integer("format");
    if (format != FORMAT) {
      throw json.wrong("format", String.valueOf(FORMAT), format);
    }
    ImageRequest request =
        ImageRequest.of(json.string("prompt"))
            .withSize(json.integer("widthPx"), json.integer("heightPx"))
            .withGuidance(json.number("guidance"))
            .withCount(json.integer("count"));
    if (json.has("negativePrompt")) {
      request =
          request.withNegativePrompt(json.string("negativePrompt"), json.number("trueCfgScale"));
    }
    if (json.has("seed")) {
      request = request.withSeed(json.longInteger("seed"));
    }
    if (json.has("textTokens")) {
      request = request.withTextTokens(json.integer("textTokens"));
    }
    if (json.has("sampler")) {
      Optional<Sampler> sampler = SamplerJson.read(json.object("sampler"));
      if (sampler.isPresent()) {
        request = request.withSampler(sampler.get());
      }
    }
    if (json.has("secondPassStrength")) {
      request = request.withSecondPass(json.number("secondPassStrength"));
    }
    if (json.has("image")) {
      StrictJson image = json.object("image");
      request = request.withImage(recorded(request, image), image.number("strength"));
    }
    if (json.has("mask")) {
      StrictJson mask = json.object("mask");
      request =
          request.withMask(
              new Inpainting(
                  recorded(request, mask),
                  mask.integer("featherPx"),
                  mask.constant("context", Inpainting.Context.class)));
    }
    return request;
  }

  /** Pictures have the size of their request. */
  private static SourceImage recorded(ImageRequest request, StrictJson json) throws IOException {
    return SourceImage.recorded(request.widthPx(), request.heightPx(), json.string("sha256"));
  }
}
