package io.jitflow.spring;

import io.jitflow.flux.FluxPool;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.ImageSettings;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import org.springframework.ai.image.Image;
import org.springframework.ai.image.ImageGeneration;
import org.springframework.ai.image.ImageMessage;
import org.springframework.ai.image.ImageModel;
import org.springframework.ai.image.ImagePrompt;
import org.springframework.ai.image.ImageResponse;
import org.springframework.ai.image.ImageResponseMetadata;

/**
 * An image model that runs inside the JVM. Images are PNG files that carry their request; the
 * metadata of an answer are those of {@link GeneratedImages#metadata}.
 *
 * <p>Messages of negative weight together are the negative prompt, all others the prompt.
 *
 * <p>Thread-safe; callers queue fairly, see {@link FluxPool}.
 */
public final class FluxImageModel implements ImageModel {
  private final FluxPool pool;
  private final ImageSettings usual;

  /**
   * Makes a model on a pool, which stays the caller's to close.
   *
   * @param pool the pipelines
   * @param usual the options that a call leaves open
   * @throws IllegalArgumentException if an option is out of range or a preset is unknown
   */
  public FluxImageModel(FluxPool pool, FluxImageOptions usual) {
    this.pool = Objects.requireNonNull(pool, "pool");
    this.usual = usual.settings().check();
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if an option is out of range or a preset is unknown
   * @throws java.util.concurrent.RejectedExecutionException if the queue is full
   * @throws java.util.concurrent.CancellationException if the pool is closed meanwhile or this
   *     thread is interrupted
   */
  @Override
  public ImageResponse call(ImagePrompt prompt) {
    GeneratedImages generated = pool.generate(request(prompt));
    List<ImageGeneration> images = new ArrayList<>();
    for (int i = 0; i < generated.images().size(); i++) {
      ImageRequest single = generated.request().single(i);
      images.add(
          new ImageGeneration(
              new Image(null, Base64.getEncoder().encodeToString(generated.toPng(i))),
              new FluxImageMetadata(single.seed().orElseThrow(), single.toString())));
    }
    ImageResponseMetadata metadata = new ImageResponseMetadata();
    generated.metadata().forEach(metadata::put);
    return new ImageResponse(images, metadata);
  }

  private ImageRequest request(ImagePrompt prompt) {
    ImageSettings settings = FluxImageOptions.settings(prompt.getOptions()).orElse(usual);
    List<String> wanted = new ArrayList<>();
    List<String> unwanted = new ArrayList<>();
    settings.negativePrompt().ifPresent(unwanted::add);
    for (ImageMessage message : prompt.getInstructions()) {
      boolean negative = message.getWeight() != null && message.getWeight() < 0;
      (negative ? unwanted : wanted).add(message.getText());
    }
    if (wanted.isEmpty()) {
      throw new IllegalArgumentException(
          "expected a message that says what to draw, got %d of negative weight only"
              .formatted(prompt.getInstructions().size()));
    }
    if (!unwanted.isEmpty()) {
      settings = settings.withNegativePrompt(String.join(", ", unwanted));
    }
    return settings.request(String.join(", ", wanted), pool.schedule());
  }
}
