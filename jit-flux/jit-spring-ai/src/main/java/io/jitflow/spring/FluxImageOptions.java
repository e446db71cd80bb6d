package io.jitflow.spring;

import io.jitflow.flux.image.ImageSettings;
import org.springframework.ai.image.ImageOptions;

/**
 * The options of a call or, as properties, of every call. What is null is left open; what a call
 * leaves open is taken from the properties. Immutable.
 *
 * @param n the number of images
 * @param width in px, a multiple of 16
 * @param height in px, a multiple of 16
 * @param seed the seed of the first image, 0 or above; random unless given
 * @param preset {@code standard}, or a Just-in-Time preset such as {@code second_order_7x}
 * @param steps the number of steps
 * @param guidance the guidance scale
 * @param negativePrompt what every image is to avoid, beside the call's messages of negative weight
 * @param trueCfgScale the scale of the negative prompt, above 1
 */
public record FluxImageOptions(
    Integer n,
    Integer width,
    Integer height,
    Long seed,
    String preset,
    Integer steps,
    Double guidance,
    String negativePrompt,
    Double trueCfgScale)
    implements ImageOptions {

  /** {@return options that leave everything open} */
  public static FluxImageOptions none() {
    return new FluxImageOptions(null, null, null, null, null, null, null, null, null);
  }

  /**
   * With another number of images.
   *
   * @param value 1 or above
   * @return the changed copy
   */
  public FluxImageOptions withN(int value) {
    return new FluxImageOptions(
        value, width, height, seed, preset, steps, guidance, negativePrompt, trueCfgScale);
  }

  /**
   * With another size.
   *
   * @param widthPx in px, a multiple of 16
   * @param heightPx in px, a multiple of 16
   * @return the changed copy
   */
  public FluxImageOptions withSize(int widthPx, int heightPx) {
    return new FluxImageOptions(
        n, widthPx, heightPx, seed, preset, steps, guidance, negativePrompt, trueCfgScale);
  }

  /**
   * With a seed.
   *
   * @param value 0 or above
   * @return the changed copy
   */
  public FluxImageOptions withSeed(long value) {
    return new FluxImageOptions(
        n, width, height, value, preset, steps, guidance, negativePrompt, trueCfgScale);
  }

  /**
   * With another sampler.
   *
   * @param value {@code standard}, or the name of a preset
   * @return the changed copy
   */
  public FluxImageOptions withPreset(String value) {
    return new FluxImageOptions(
        n, width, height, seed, value, steps, guidance, negativePrompt, trueCfgScale);
  }

  /**
   * With another number of steps.
   *
   * @param value 1 or above
   * @return the changed copy
   */
  public FluxImageOptions withSteps(int value) {
    return new FluxImageOptions(
        n, width, height, seed, preset, value, guidance, negativePrompt, trueCfgScale);
  }

  /**
   * With another guidance scale.
   *
   * @param value 0 or above
   * @return the changed copy
   */
  public FluxImageOptions withGuidance(double value) {
    return new FluxImageOptions(
        n, width, height, seed, preset, steps, value, negativePrompt, trueCfgScale);
  }

  /**
   * With a negative prompt.
   *
   * @param text what to avoid
   * @param scale above 1
   * @return the changed copy
   */
  public FluxImageOptions withNegativePrompt(String text, double scale) {
    return new FluxImageOptions(n, width, height, seed, preset, steps, guidance, text, scale);
  }

  @Override
  public Integer getN() {
    return n;
  }

  /** {@return null: the bundle is the model} */
  @Override
  public String getModel() {
    return null;
  }

  @Override
  public Integer getWidth() {
    return width;
  }

  @Override
  public Integer getHeight() {
    return height;
  }

  /** {@return null, which means base64 data} */
  @Override
  public String getResponseFormat() {
    return null;
  }

  /** {@return null: FLUX has no styles} */
  @Override
  public String getStyle() {
    return null;
  }

  /** The same, as the library has it. */
  ImageSettings settings() {
    ImageSettings settings = portable(this);
    settings = seed == null ? settings : settings.withSeed(seed);
    settings = preset == null ? settings : settings.withPreset(preset);
    settings = steps == null ? settings : settings.withSteps(steps);
    settings = guidance == null ? settings : settings.withGuidance(guidance);
    settings = negativePrompt == null ? settings : settings.withNegativePrompt(negativePrompt);
    return trueCfgScale == null ? settings : settings.withTrueCfgScale(trueCfgScale);
  }

  /**
   * The settings of any options.
   *
   * @throws IllegalArgumentException if they ask for what FLUX does not have
   */
  static ImageSettings settings(ImageOptions options) {
    if (options == null) {
      return ImageSettings.none();
    }
    if (options instanceof FluxImageOptions own) {
      return own.settings();
    }
    String format = options.getResponseFormat();
    if (format != null && !format.equals("b64_json")) {
      throw new IllegalArgumentException(
          "the response format must be b64_json, got '%s'".formatted(format));
    }
    if (options.getStyle() != null) {
      throw new IllegalArgumentException(
          "FLUX has no styles, got '%s'; say it in the prompt".formatted(options.getStyle()));
    }
    return portable(options);
  }

  private static ImageSettings portable(ImageOptions options) {
    ImageSettings settings = ImageSettings.none();
    settings = options.getN() == null ? settings : settings.withCount(options.getN());
    settings = options.getWidth() == null ? settings : settings.withWidthPx(options.getWidth());
    return options.getHeight() == null ? settings : settings.withHeightPx(options.getHeight());
  }
}
