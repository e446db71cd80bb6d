package io.jitflow.langchain4j;

import dev.langchain4j.data.image.Image;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.model.image.ImageModel;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.Response;
import io.jitflow.flux.FluxOptions;
import io.jitflow.flux.FluxPool;
import io.jitflow.flux.image.GeneratedImages;
import io.jitflow.flux.image.ImageRequest;
import io.jitflow.flux.image.ImageSettings;
import io.jitflow.flux.image.SourceImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/**
 * An image model that runs inside the JVM.
 *
 * <pre>{@code
 * try (FluxImageModel model = FluxImageModel.builder()
 *     .bundle(Path.of("dev-bundle")).widthPx(1024).heightPx(768).preset("second_order_7x").build()) {
 *   Response<Image> answer = model.generate("a red fox in snow");
 * }
 * }</pre>
 *
 * <p>Images are PNG files that carry their request. The metadata of an answer are those of {@link
 * GeneratedImages#metadata}: seed, sampler, steps, timings and more.
 *
 * <p>Thread-safe; callers queue fairly, see {@link FluxPool}. Wrong settings end in an {@link
 * InvalidRequestException}, a full queue in a {@link RateLimitException}, which LangChain4j takes
 * as a request to try again later.
 */
public final class FluxImageModel implements ImageModel, AutoCloseable {
  private final FluxPool pool;
  private final boolean ownsPool;
  private final ImageSettings settings;
  private final double strength;

  private FluxImageModel(FluxPool pool, boolean ownsPool, Builder builder) {
    this.pool = pool;
    this.ownsPool = ownsPool;
    this.settings = builder.settings;
    this.strength = builder.strength;
  }

  /** {@return a builder, which needs a bundle or a pool} */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  public Response<Image> generate(String prompt) {
    return first(generate(prompt, 1));
  }

  /**
   * {@inheritDoc}
   *
   * <p>Image i has the seed of the first one plus i.
   */
  @Override
  public Response<List<Image>> generate(String prompt, int n) {
    return draw(() -> settings.withCount(n).request(prompt, pool.schedule()));
  }

  /**
   * {@inheritDoc}
   *
   * @param image base64 data of an opaque picture (PNG, JPEG, GIF or BMP) whose sides are multiples
   *     of 16 px; it is turned as Exif says, and the answer has its size
   */
  @Override
  public Response<Image> edit(Image image, String prompt) {
    return first(draw(() -> editing(image, prompt)));
  }

  /**
   * {@inheritDoc}
   *
   * @param image as for {@link #edit(Image, String)}
   * @param mask a picture of the same size: what is white there is drawn, the rest stays
   */
  @Override
  public Response<Image> edit(Image image, Image mask, String prompt) {
    return first(draw(() -> editing(image, prompt).withMask(source("mask", mask))));
  }

  private ImageRequest editing(Image image, String prompt) {
    return settings
        .withCount(1)
        .request(prompt, pool.schedule())
        .withImage(source("image", image), strength);
  }

  private static SourceImage source(String what, Image image) {
    if (image.base64Data() == null) {
      throw new IllegalArgumentException(
          "the %s must have base64 data; nothing is fetched from a URL".formatted(what));
    }
    byte[] file = Base64.getDecoder().decode(image.base64Data());
    try {
      return SourceImage.read(file);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "the %s cannot be used: %s".formatted(what, e.getMessage()), e);
    }
  }

  private Response<List<Image>> draw(Supplier<ImageRequest> request) {
    try {
      return response(pool.generate(request.get()));
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    } catch (RejectedExecutionException e) {
      throw new RateLimitException(e.getMessage(), e);
    }
  }

  private static Response<Image> first(Response<List<Image>> all) {
    return Response.from(all.content().get(0), null, all.finishReason(), all.metadata());
  }

  private static Response<List<Image>> response(GeneratedImages generated) {
    List<Image> images = new ArrayList<>();
    for (int i = 0; i < generated.images().size(); i++) {
      images.add(
          Image.builder()
              .base64Data(Base64.getEncoder().encodeToString(generated.toPng(i)))
              .mimeType("image/png")
              .build());
    }
    return Response.from(List.copyOf(images), null, FinishReason.STOP, generated.metadata());
  }

  /** Ends a running call and frees everything, unless the pool was given to the builder. */
  @Override
  public void close() {
    if (ownsPool) {
      pool.close();
    }
  }

  /** What a model is made of; every setting but the bundle or the pool may be left out. */
  public static final class Builder {
    private Path bundle;
    private FluxPool pool;
    private List<FluxOptions> options = List.of(FluxOptions.defaults());
    private int queueLimit = FluxPool.DEFAULT_QUEUE;
    private ImageSettings settings = ImageSettings.none();
    private double strength = 0.75;

    private Builder() {}

    /**
     * The model to load.
     *
     * @param folder a folder that {@code FluxConverter} wrote
     * @return this builder
     */
    public Builder bundle(Path folder) {
      bundle = folder;
      return this;
    }

    /**
     * A pool that others use too, in place of a bundle. The model does not close it.
     *
     * @param shared the pool
     * @return this builder
     */
    public Builder pool(FluxPool shared) {
      pool = shared;
      return this;
    }

    /**
     * How the bundle uses the machine.
     *
     * @param each options of each pipeline, one per device
     * @return this builder
     */
    public Builder options(FluxOptions... each) {
      options = List.of(each);
      return this;
    }

    /**
     * How many calls may wait.
     *
     * @param calls 0 or more
     * @return this builder
     */
    public Builder queueLimit(int calls) {
      queueLimit = calls;
      return this;
    }

    /**
     * The width of the images.
     *
     * @param px a multiple of 16; 1024 unless given
     * @return this builder
     */
    public Builder widthPx(int px) {
      settings = settings.withWidthPx(px);
      return this;
    }

    /**
     * The height of the images.
     *
     * @param px a multiple of 16; 1024 unless given
     * @return this builder
     */
    public Builder heightPx(int px) {
      settings = settings.withHeightPx(px);
      return this;
    }

    /**
     * The sampler.
     *
     * @param name {@value ImageSettings#STANDARD}, or a Just-in-Time preset such as {@code
     *     second_order_7x}
     * @return this builder
     */
    public Builder preset(String name) {
      settings = settings.withPreset(name);
      return this;
    }

    /**
     * The number of steps.
     *
     * @param number 1 or above
     * @return this builder
     */
    public Builder steps(int number) {
      settings = settings.withSteps(number);
      return this;
    }

    /**
     * The guidance scale.
     *
     * @param scale 0 or above; 3.5 unless given
     * @return this builder
     */
    public Builder guidance(double scale) {
      settings = settings.withGuidance(scale);
      return this;
    }

    /**
     * The seed of every first image; random unless given.
     *
     * @param value 0 or above
     * @return this builder
     */
    public Builder seed(long value) {
      settings = settings.withSeed(value);
      return this;
    }

    /**
     * What every image is to avoid.
     *
     * @param text the negative prompt
     * @param scale above 1
     * @return this builder
     */
    public Builder negativePrompt(String text, double scale) {
      settings = settings.withNegativePrompt(text).withTrueCfgScale(scale);
      return this;
    }

    /**
     * How much of a picture {@code edit} draws anew.
     *
     * @param share 0 to 1, of the steps; 0.75 unless given
     * @return this builder
     */
    public Builder strength(double share) {
      if (!(share >= 0 && share <= 1)) {
        throw new InvalidRequestException("strength must be from 0 to 1, got " + share);
      }
      strength = share;
      return this;
    }

    /**
     * Loads the model.
     *
     * @return the model
     * @throws InvalidRequestException if a setting is out of range or a preset is unknown
     * @throws ModelNotFoundException if the bundle is missing, incomplete or damaged
     */
    public FluxImageModel build() {
      if ((bundle == null) == (pool == null)) {
        throw new IllegalArgumentException(
            "a FluxImageModel needs a bundle or a pool, got %s"
                .formatted(bundle == null ? "neither" : "both"));
      }
      try {
        settings.check();
        return pool != null
            ? new FluxImageModel(pool, false, this)
            : new FluxImageModel(
                FluxPool.load(Objects.requireNonNull(bundle), options, queueLimit), true, this);
      } catch (IllegalArgumentException e) {
        throw new InvalidRequestException(e.getMessage(), e);
      } catch (IOException e) {
        throw new ModelNotFoundException(e.getMessage(), e);
      }
    }
  }
}
