package io.jitflow.flux.image;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.jit.JitConfig;
import io.jitflow.core.jit.JitSampler;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * The settings of a request as configuration files, forms and other frameworks give them: plain
 * values, each of which may be left open. Immutable.
 *
 * @param widthPx width in px
 * @param heightPx height in px
 * @param guidance the guidance scale
 * @param seed the seed of the first image
 * @param count the number of images
 * @param preset {@code standard}, or the name of a Just-in-Time preset, see {@link
 *     JitConfig#preset}
 * @param steps the number of steps
 * @param negativePrompt what to avoid
 * @param trueCfgScale the scale of the negative prompt
 */
public record ImageSettings(
    OptionalInt widthPx,
    OptionalInt heightPx,
    OptionalDouble guidance,
    OptionalLong seed,
    OptionalInt count,
    Optional<String> preset,
    OptionalInt steps,
    Optional<String> negativePrompt,
    OptionalDouble trueCfgScale) {

  /** The scale of a negative prompt unless given. */
  public static final double DEFAULT_TRUE_CFG_SCALE = 4;

  /** The name of the standard sampler beside those of the presets. */
  public static final String STANDARD = "standard";

  /** {@return settings that leave everything open} */
  public static ImageSettings none() {
    return new ImageSettings(
        OptionalInt.empty(),
        OptionalInt.empty(),
        OptionalDouble.empty(),
        OptionalLong.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        OptionalDouble.empty());
  }

  /**
   * With another width.
   *
   * @param value in px, a multiple of 16
   * @return the changed copy
   */
  public ImageSettings withWidthPx(int value) {
    return with(draft -> draft.widthPx = OptionalInt.of(value));
  }

  /**
   * With another height.
   *
   * @param value in px, a multiple of 16
   * @return the changed copy
   */
  public ImageSettings withHeightPx(int value) {
    return with(draft -> draft.heightPx = OptionalInt.of(value));
  }

  /**
   * With another guidance scale.
   *
   * @param value 0 or above
   * @return the changed copy
   */
  public ImageSettings withGuidance(double value) {
    return with(draft -> draft.guidance = OptionalDouble.of(value));
  }

  /**
   * With a seed.
   *
   * @param value 0 or above
   * @return the changed copy
   */
  public ImageSettings withSeed(long value) {
    return with(draft -> draft.seed = OptionalLong.of(value));
  }

  /**
   * With another number of images.
   *
   * @param value 1 or above
   * @return the changed copy
   */
  public ImageSettings withCount(int value) {
    return with(draft -> draft.count = OptionalInt.of(value));
  }

  /**
   * With another sampler.
   *
   * @param value {@value #STANDARD}, or the name of a preset
   * @return the changed copy
   */
  public ImageSettings withPreset(String value) {
    return with(draft -> draft.preset = Optional.of(value));
  }

  /**
   * With another number of steps.
   *
   * @param value 1 or above
   * @return the changed copy
   */
  public ImageSettings withSteps(int value) {
    return with(draft -> draft.steps = OptionalInt.of(value));
  }

  /**
   * With a negative prompt.
   *
   * @param value what to avoid
   * @return the changed copy
   */
  public ImageSettings withNegativePrompt(String value) {
    return with(draft -> draft.negativePrompt = Optional.of(value));
  }

  /**
   * With another scale of the negative prompt.
   *
   * @param value above 1
   * @return the changed copy
   */
  public ImageSettings withTrueCfgScale(double value) {
    return with(draft -> draft.trueCfgScale = OptionalDouble.of(value));
  }

  /**
   * These settings, and others where these leave something open. A preset and a number of steps
   * belong together: a preset of these settings takes no number of steps from the others.
   *
   * @param others what stands in
   * @return both together
   */
  public ImageSettings orElse(ImageSettings others) {
    return new ImageSettings(
        widthPx.isPresent() ? widthPx : others.widthPx,
        heightPx.isPresent() ? heightPx : others.heightPx,
        guidance.isPresent() ? guidance : others.guidance,
        seed.isPresent() ? seed : others.seed,
        count.isPresent() ? count : others.count,
        preset.isPresent() ? preset : others.preset,
        steps.isPresent() || preset.isPresent() ? steps : others.steps,
        negativePrompt.isPresent() ? negativePrompt : others.negativePrompt,
        trueCfgScale.isPresent() ? trueCfgScale : others.trueCfgScale);
  }

  /**
   * Refuses what no request can have, before there is a prompt or a model.
   *
   * @return these settings
   * @throws IllegalArgumentException if a value is out of range or a preset is unknown
   */
  public ImageSettings check() {
    request("", SigmaSchedule.linear());
    return this;
  }

  /**
   * A request with these settings. What they leave open, a request leaves open too, or has its
   * usual value.
   *
   * @param prompt what to draw
   * @param schedule the model's own noise levels, for a number of steps of the standard sampler
   * @return the request
   * @throws IllegalArgumentException if a value is out of range or a preset is unknown
   */
  public ImageRequest request(String prompt, SigmaSchedule schedule) {
    Objects.requireNonNull(schedule, "schedule");
    ImageRequest request =
        ImageRequest.of(prompt)
            .withSize(
                widthPx.orElse(ImageRequest.DEFAULT_SIZE_PX),
                heightPx.orElse(ImageRequest.DEFAULT_SIZE_PX))
            .withGuidance(guidance.orElse(ImageRequest.DEFAULT_GUIDANCE))
            .withCount(count.orElse(1));
    if (seed.isPresent()) {
      request = request.withSeed(seed.getAsLong());
    }
    trueCfgScale.ifPresent(ImageRequest::checkTrueCfgScale); // without a negative prompt too
    if (negativePrompt.isPresent()) {
      request =
          request.withNegativePrompt(
              negativePrompt.get(), trueCfgScale.orElse(DEFAULT_TRUE_CFG_SCALE));
    }
    if (preset.isPresent() && !preset.get().equals(STANDARD)) {
      JitConfig config = JitConfig.preset(preset.get());
      return request.withSampler(
          new JitSampler(steps.isPresent() ? config.withSteps(steps.getAsInt()) : config));
    }
    return steps.isPresent()
        ? request.withSampler(new EulerSampler(schedule, steps.getAsInt()))
        : request;
  }

  private ImageSettings with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.settings();
  }

  private static final class Draft {
    OptionalInt widthPx;
    OptionalInt heightPx;
    OptionalDouble guidance;
    OptionalLong seed;
    OptionalInt count;
    Optional<String> preset;
    OptionalInt steps;
    Optional<String> negativePrompt;
    OptionalDouble trueCfgScale;

    Draft(ImageSettings from) {
      widthPx = from.widthPx;
      heightPx = from.heightPx;
      guidance = from.guidance;
      seed = from.seed;
      count = from.count;
      preset = from.preset;
      steps = from.steps;
      negativePrompt = from.negativePrompt;
      trueCfgScale = from.trueCfgScale;
    }

    ImageSettings settings() {
      return new ImageSettings(
          widthPx, heightPx, guidance, seed, count, preset, steps, negativePrompt, trueCfgScale);
    }
  }
}
