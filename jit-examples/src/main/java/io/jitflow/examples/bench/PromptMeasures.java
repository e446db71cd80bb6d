package io.jitflow.examples.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a study measured on one prompt; as a file it lets a stopped study go on, and lets samplers
 * be added later.
 *
 * @param study what must be the same for measurements to be joined
 * @param converged the picture that others are compared with, PNG
 * @param reference latent tokens of another seed
 * @param floor latent tokens of yet another seed
 * @param samplers by the name of the sampler
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; Gson writes arrays as they are
record PromptMeasures(
    String study,
    byte[] converged,
    Moments reference,
    Moments floor,
    Map<String, Measures> samplers) {

  /**
   * What one sampler did.
   *
   * @param settings {@link NamedSampler#settings}, so that others under the same name are noticed
   * @param forwards cost in full forward passes
   * @param flops floating-point operations of the network
   * @param seconds of the denoising phase
   * @param squaredError mean squared difference to the converged picture
   * @param similarity structural similarity to it
   * @param sharpness relative to its own
   * @param octaves power of the finest octaves relative to its own
   * @param distance to the picture that was asked for
   * @param recognised whether that one, or one of the same stem, is the nearest
   * @param tokens latent tokens
   * @param thumbnail the picture for the sheet, PNG
   */
  record Measures(
      String settings,
      double forwards,
      double flops,
      double seconds,
      double squaredError,
      double similarity,
      double sharpness,
      double[] octaves,
      double distance,
      boolean recognised,
      Moments tokens,
      byte[] thumbnail) {}

  /** Whether it was measured, with the same settings. */
  boolean has(NamedSampler named) {
    Measures measures = samplers.get(named.name());
    return measures != null && named.settings().equals(measures.settings);
  }

  /** With one sampler more, or measured again. */
  PromptMeasures with(String name, Measures measures) {
    Map<String, Measures> all = new LinkedHashMap<>(samplers);
    all.put(name, measures);
    return new PromptMeasures(study, converged, reference, floor, all);
  }

  /**
   * Reads a file that {@link #write} made.
   *
   * @param study what the file must have been measured for
   * @return empty if there is no such file
   * @throws IOException if it was measured for something else, or is damaged
   */
  static Optional<PromptMeasures> read(Path file, String study) throws IOException {
    return MeasurementFile.read(file, PromptMeasures.class, PromptMeasures::study, study);
  }

  /** Writes the file whole or not at all. */
  void write(Path file) throws IOException {
    MeasurementFile.write(file, this);
  }
}
