package io.jitflow.flux.image;

import io.jitflow.core.EulerSampler;
import io.jitflow.core.PlainSampler;
import io.jitflow.core.Sampler;
import io.jitflow.core.SigmaSchedule;
import io.jitflow.core.check.Checks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The text under the keyword {@code parameters} that common web interfaces write and read: the
 * prompt, a line {@code Negative prompt:}, and a last line of {@code Name: value} pairs.
 *
 * <p>It says less than a request: neither stages nor schedule, nor which picture a request started
 * from.
 */
final class ParametersText {
  static final String KEYWORD = "parameters";

  private static final String NEGATIVE = "Negative prompt: ";

  /** Possessive throughout: whatever the text, matching takes neither stack nor second tries. */
  private static final Pattern PAIR =
      Pattern.compile("\\s*+(\\w[\\w \\-/]++):\\s*+(\"(?:\\\\.|[^\\\\\"])++\"|[^,]*+)(?:,|$)");

  private static final int LEAST_PAIRS = 3;

  /** FLUX.1-dev's schedule, which such texts do not name. */
  private static final SigmaSchedule DEV = new SigmaSchedule.DynamicShift(0.5, 1.15, 256, 4096);

  private ParametersText() {}

  /** A request of one image with all values filled in. */
  static String write(ImageRequest request, String model) {
    StringBuilder text = new StringBuilder(request.prompt().strip());
    request
        .negativePrompt()
        .ifPresent(negative -> text.append('\n').append(NEGATIVE).append(negative.strip()));
    Map<String, String> pairs = new LinkedHashMap<>();
    request
        .sampler()
        .ifPresent(
            sampler -> {
              pairs.put("Steps", Integer.toString(sampler.steps()));
              pairs.put("Sampler", name(sampler));
            });
    pairs.put("CFG scale", number(request.trueCfgScale()));
    pairs.put("Distilled CFG Scale", number(request.guidance()));
    request.seed().ifPresent(seed -> pairs.put("Seed", Long.toString(seed)));
    pairs.put("Size", request.widthPx() + "x" + request.heightPx());
    pairs.put("Model", model);
    request.start().ifPresent(start -> pairs.put("Denoising strength", number(start.strength())));
    pairs.put("Version", "jitflow");
    List<String> line = new ArrayList<>();
    pairs.forEach((name, value) -> line.add(name + ": " + quoted(value)));
    return text.append('\n').append(String.join(", ", line)).toString();
  }

  private static String name(Sampler sampler) {
    boolean plain = sampler instanceof EulerSampler || sampler instanceof PlainSampler;
    return plain ? "Euler" : "JiT";
  }

  private static String number(double value) {
    return value == Math.rint(value)
        ? Long.toString((long) value)
        : String.format(Locale.ROOT, "%s", value);
  }

  private static String quoted(String value) {
    return value.matches("[^,:\n\"\\\\]*")
        ? value
        : '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + '"';
  }

  /**
   * Reads what a text says of a request.
   *
   * @return the request and what could not be brought back
   * @throws IllegalArgumentException if a value is out of range
   */
  static Read read(String text) {
    List<String> lines = new ArrayList<>(text.lines().toList());
    Map<String, String> pairs = lines.isEmpty() ? Map.of() : pairs(lines.get(lines.size() - 1));
    if (pairs.size() >= LEAST_PAIRS) {
      lines.remove(lines.size() - 1);
    } else {
      pairs = Map.of();
    }
    List<String> prompt = new ArrayList<>();
    List<String> negative = new ArrayList<>();
    for (String line : lines) {
      if (line.startsWith(NEGATIVE.strip())) {
        negative.add(line.substring(NEGATIVE.strip().length()).strip());
      } else {
        (negative.isEmpty() ? prompt : negative).add(line);
      }
    }
    ImageRequest request = ImageRequest.of(String.join("\n", prompt).strip());
    List<String> remarks = new ArrayList<>();
    if (pairs.containsKey("Size")) {
      String[] sides = pairs.get("Size").split("x", -1);
      if (sides.length == 2) {
        request = request.withSize(whole("Size", sides[0]), whole("Size", sides[1]));
      }
    }
    if (pairs.containsKey("Seed")) {
      request = request.withSeed((long) number("Seed", pairs.get("Seed")));
    }
    if (pairs.containsKey("Distilled CFG Scale")) {
      request =
          request.withGuidance(number("Distilled CFG Scale", pairs.get("Distilled CFG Scale")));
    }
    String cfg = pairs.getOrDefault("CFG scale", "1");
    if (!negative.isEmpty() && number("CFG scale", cfg) > 1) {
      request = request.withNegativePrompt(String.join("\n", negative), number("CFG scale", cfg));
    }
    if (pairs.containsKey("Steps")) {
      request = request.withSampler(new EulerSampler(DEV, whole("Steps", pairs.get("Steps"))));
      if (!pairs.getOrDefault("Sampler", "Euler").equals("Euler")) {
        remarks.add(
            "the sampler "
                + pairs.get("Sampler")
                + " became Euler steps over FLUX.1-dev's schedule, which is all that the file tells");
      }
    }
    if (pairs.containsKey("Denoising strength")) {
      remarks.add("the picture that this one started from is not in the file; give it again");
    }
    return new Read(request, Optional.ofNullable(pairs.get("Model")).orElse("unknown"), remarks);
  }

  /** What a text says. */
  record Read(ImageRequest request, String model, List<String> remarks) {}

  private static Map<String, String> pairs(String line) {
    Map<String, String> pairs = new LinkedHashMap<>();
    Matcher matcher = PAIR.matcher(line);
    int end = 0;
    while (end < line.length() && matcher.region(end, line.length()).lookingAt()) {
      String value = matcher.group(2).strip();
      if (value.length() > 1 && value.startsWith("\"") && value.endsWith("\"")) {
        value = value.substring(1, value.length() - 1).replaceAll("\\\\(.)", "$1");
      }
      pairs.putIfAbsent(matcher.group(1).strip(), value);
      end = matcher.end();
    }
    return pairs;
  }

  private static int whole(String name, String value) {
    double number = number(name, value);
    Checks.argument(
        number == Math.rint(number) && Math.abs(number) <= Integer.MAX_VALUE,
        "%s: expected a whole number, found '%s'",
        name,
        value);
    return (int) number;
  }

  private static double number(String name, String value) {
    try {
      return Double.parseDouble(value.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + ": expected a number, found '" + value + "'", e);
    }
  }
}
