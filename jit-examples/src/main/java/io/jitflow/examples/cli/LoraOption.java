package io.jitflow.examples.cli;

import io.jitflow.flux.weights.LoraAdapter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The adapters that are added to a model's weights. */
final class LoraOption {

  @Option(
      names = "--lora",
      paramLabel = "FILE[:SCALE]",
      converter = Converter.class,
      description =
          "Add this LoRA adapter to the weights, as strongly as SCALE says (default: 1). May be"
              + " repeated.")
  private List<LoraAdapter> adapters = new ArrayList<>();

  List<LoraAdapter> adapters() {
    return adapters;
  }

  /** Reads {@code style.safetensors:0.8}. */
  static final class Converter implements ITypeConverter<LoraAdapter> {
    private static final Pattern SCALED = Pattern.compile("(.+):([-+]?[0-9.]+(?:[eE][-+]?\\d+)?)");

    @Override
    public LoraAdapter convert(String value) {
      Matcher scaled = SCALED.matcher(value);
      if (!scaled.matches()) {
        if (value.contains(".safetensors:")) {
          throw wrong(value);
        }
        return LoraAdapter.of(Path.of(value));
      }
      try {
        return new LoraAdapter(Path.of(scaled.group(1)), Double.parseDouble(scaled.group(2)));
      } catch (IllegalArgumentException e) {
        throw wrong(value);
      }
    }

    private static TypeConversionException wrong(String value) {
      return new TypeConversionException(
          "expected FILE or FILE:SCALE, for example style.safetensors:0.8, got '%s'"
              .formatted(value));
    }
  }
}
