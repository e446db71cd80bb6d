package io.jitflow.examples.cli;

import io.jitflow.flux.image.ImageRequest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options that describe an image; those not given leave the request as it was. */
final class RequestOptions {

  private static final Pattern SIZE = Pattern.compile("(\\d{1,6})[xX](\\d{1,6})");

  /** What Java puts in place of what it could not decode. */
  private static final char UNREADABLE = '\ufffd';

  private static final double DEFAULT_TRUE_CFG_SCALE = 4;

  @Option(
      names = "--size",
      paramLabel = "WxH",
      description =
          "Width and height in px, multiples of 16, for example 1024x768. Default: 1024x1024.")
  private String size;

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      converter = SeedConverter.class,
      description =
          "0 or above; the same seed makes the same image. Default: a random one, printed.")
  private Long seed;

  @Option(
      names = {"-g", "--guidance"},
      paramLabel = "SCALE",
      description = "Guidance of FLUX.1-dev; schnell ignores it. Default: 3.5.")
  private Double guidance;

  @Option(
      names = {"-n", "--negative"},
      paramLabel = "TEXT",
      description = "What to avoid, by true classifier-free guidance: twice the time.")
  private String negativePrompt;

  @Option(
      names = "--cfg",
      paramLabel = "SCALE",
      description = "Scale for --negative, above 1. Default: 4.")
  private Double trueCfgScale;

  @Option(
      names = "--text-tokens",
      paramLabel = "N",
      description = "How much of the prompt T5 reads. Default: 512 for dev, 256 for schnell.")
  private Integer textTokens;

  /**
   * The request with these options in place of its own values.
   *
   * @throws IllegalArgumentException if a value is out of range
   */
  ImageRequest applyTo(ImageRequest request) {
    ImageRequest changed = size == null ? request : sized(request);
    if (seed != null) {
      changed = changed.withSeed(seed);
    }
    if (guidance != null) {
      changed = changed.withGuidance(guidance);
    }
    if (negativePrompt != null && !negativePrompt.isEmpty()) {
      requireReadable("--negative", negativePrompt);
    }
    if (negativePrompt != null || trueCfgScale != null) {
      String text = negativePrompt == null ? changed.negativePrompt().orElse(null) : negativePrompt;
      if (text == null) {
        throw new IllegalArgumentException("--cfg is the scale of --negative, which is not given");
      }
      double usual =
          changed.negativePrompt().isPresent() ? changed.trueCfgScale() : DEFAULT_TRUE_CFG_SCALE;
      changed = changed.withNegativePrompt(text, trueCfgScale == null ? usual : trueCfgScale);
    }
    if (textTokens != null) {
      changed = changed.withTextTokens(textTokens);
    }
    return changed;
  }

  /**
   * Requires text that arrived as it was typed.
   *
   * @throws IllegalArgumentException if it is empty, or was damaged on its way
   */
  static void requireReadable(String option, String text) {
    if (text.isBlank()) {
      throw new IllegalArgumentException("the %s is empty; say what to draw".formatted(option));
    }
    String encoding = System.getProperty("sun.jnu.encoding", "UTF-8");
    if (text.indexOf(UNREADABLE) >= 0 && !encoding.equalsIgnoreCase("UTF-8")) {
      throw new IllegalArgumentException(
          "the %s has characters that the locale's encoding %s does not have; start with LC_ALL=C.UTF-8"
              .formatted(option, encoding));
    }
  }

  private ImageRequest sized(ImageRequest request) {
    Matcher sides = SIZE.matcher(size);
    if (!sides.matches()) {
      throw new IllegalArgumentException(
          "--size must be WIDTHxHEIGHT in px, for example 1024x768, got '%s'".formatted(size));
    }
    return request.withSize(Integer.parseInt(sides.group(1)), Integer.parseInt(sides.group(2)));
  }

  /** Says the range, also for numbers that no long can hold. */
  static final class SeedConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      try {
        return Long.valueOf(value);
      } catch (NumberFormatException e) {
        throw new TypeConversionException(
            "expected a whole number from 0 to %d (2^63 - 1), got '%s'"
                .formatted(Long.MAX_VALUE, value));
      }
    }
  }
}
