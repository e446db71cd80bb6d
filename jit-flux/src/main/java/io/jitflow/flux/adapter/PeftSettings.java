package io.jitflow.flux.adapter;

import io.jitflow.flux.json.JsonFaults;
import io.jitflow.flux.json.Quoted;
import io.jitflow.flux.json.StrictJson;
import io.jitflow.flux.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What PEFT's settings say about layers that have no tensor alpha.
 *
 * <p>diffusers keeps them in the header: each behind the name of its component, {@code
 * transformer.lora_alpha}, or bare, {@code lora_alpha}, where a transformer's layers were saved
 * alone and are bare too. PEFT itself keeps them in {@code adapter_config.json} beside its file,
 * which it always calls {@code adapter_model.safetensors}; any other file in that folder is none of
 * it.
 */
final class PeftSettings {
  private static final String HEADER = "lora_adapter_metadata";
  private static final String CONFIG = "adapter_config.json";
  private static final String MODEL = "adapter_model.safetensors";
  private static final long MAX_CONFIG_BYTES = 16 << 20;
  private static final String PEFT = "base_model.model.";
  private static final List<String> COMPONENTS =
      List.of("transformer.", "text_encoder_2.", "text_encoder.");

  private final String place;
  private final StrictJson json;
  private final boolean isBeside;
  private final Map<String, Pattern> patterns = new HashMap<>();

  private PeftSettings(String place, StrictJson json, boolean isBeside) throws IOException {
    this.place = place;
    this.json = json;
    this.isBeside = isBeside;
    for (String key : json.keys()) {
      if ((key.endsWith("use_dora") || key.endsWith("use_rslora")) && json.flag(key, false)) {
        throw new AdapterException(
            place + ": " + Quoted.of(key) + " is not supported; use a plain LoRA");
      }
    }
  }

  /** The settings of an adapter with certain layers; empty if there are none. */
  static Optional<PeftSettings> of(SafetensorsFile file, Collection<String> layers)
      throws IOException {
    String text = file.metadata().get(HEADER);
    if (text != null) {
      String place = file.path() + ": " + HEADER + " in the header";
      return Optional.of(new PeftSettings(place, StrictJson.parse(text, faults(place)), false));
    }
    Path config = file.path().resolveSibling(CONFIG);
    boolean isPefts =
        file.path().endsWith(MODEL) && layers.stream().anyMatch(layer -> layer.startsWith(PEFT));
    if (!isPefts || !Files.isRegularFile(config)) {
      return Optional.empty();
    }
    String place = config.toString();
    return Optional.of(
        new PeftSettings(place, StrictJson.read(config, MAX_CONFIG_BYTES, faults(place)), true));
  }

  private static JsonFaults faults(String place) {
    return (problem, cause) -> new AdapterException(place + ": " + problem, cause);
  }

  /**
   * The alpha of a layer; its rank if nothing is said about it.
   *
   * @throws AdapterException if the file beside the adapter is about another one
   */
  double alpha(String layer, int rank) throws IOException {
    String component = COMPONENTS.stream().filter(layer::startsWith).findFirst().orElse("");
    String name = layer.substring(layer.startsWith(PEFT) ? PEFT.length() : component.length());
    double said = isBeside ? value("rank_pattern", name, json.number("r", rank)) : rank;
    if (said != rank) {
      throw new AdapterException(
          "%s: r: expected %d, the rank of %s in the adapter beside it, found %s; the two files do not belong together, download them again"
              .formatted(place, rank, Quoted.of(layer), said));
    }
    return value(component + "alpha_pattern", name, json.number(component + "lora_alpha", rank));
  }

  /** The number of the first pattern that a layer's name matches. */
  private double value(String key, String name, double absent) throws IOException {
    if (!json.has(key)) {
      return absent;
    }
    StrictJson numbers = json.object(key);
    for (String pattern : numbers.keys()) {
      if (matches(key, pattern, name)) {
        return numbers.number(pattern, absent);
      }
    }
    return absent;
  }

  /** As PEFT does it: a pattern stands for whole parts of a name, up to its end. */
  private boolean matches(String key, String pattern, String name) throws AdapterException {
    try {
      return patterns
          .computeIfAbsent(pattern, text -> Pattern.compile("(.*\\.)?(" + text + ")"))
          .matcher(name)
          .matches();
    } catch (PatternSyntaxException | StackOverflowError e) {
      throw new AdapterException(
          "%s: %s: expected names of layers or regular expressions for them, found %s; correct it, or use another adapter"
              .formatted(place, key, Quoted.of(pattern)),
          e);
    }
  }
}
