package io.jitflow.examples.scenes;

import io.jitflow.examples.bench.Bootstrap;
import io.jitflow.examples.bench.Bootstrap.Interval;
import io.jitflow.examples.bench.FrechetDistance;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a set of pictures, one for each prompt, is measured by. */
final class SceneMeasures {
  private static final int DRAWS = 200;

  private final SceneClassifier classifier;
  private final FrechetDistance features;
  private final FrechetDistance patches;
  private final FrechetDistance spectra;
  private final List<Picture> trained;

  /**
   * Measures against fresh renders.
   *
   * @param classifier reads the pictures
   * @param renders what the pictures should look like, of the same size
   * @param trained training pictures, reduced by {@link #thumbnail}
   */
  SceneMeasures(SceneClassifier classifier, List<Picture> renders, List<Picture> trained) {
    this.classifier = classifier;
    this.trained = trained;
    this.features =
        FrechetDistance.to(renders.stream().map(p -> classifier.read(p).features()).toList());
    this.patches =
        FrechetDistance.to(
            renders.stream().flatMap(p -> TextureStatistics.patches(p).stream()).toList());
    this.spectra = FrechetDistance.to(renders.stream().map(TextureStatistics::spectrum).toList());
  }

  /**
   * One of the prompts.
   *
   * @param scene whose caption it is
   * @param caption what was asked for
   */
  record Prompt(Scene scene, Caption caption) {}

  /**
   * A figure with the interval that other prompts might have given.
   *
   * @param value the figure
   * @param interval 95 % of the draws
   */
  record Figure(double value, Interval interval) {
    String percent() {
      return "%.1f (%.1f to %.1f)"
          .formatted(100 * value, 100 * interval.low(), 100 * interval.high());
    }

    /** With as many digits as tell sets apart. */
    String text() {
      String form = value < 1 ? "%.4f (%.4f to %.4f)" : "%.2f (%.2f to %.2f)";
      return form.formatted(value, interval.low(), interval.high());
    }
  }

  /**
   * The measures of a set.
   *
   * @param accuracy share of the named attributes that are drawn
   * @param pairs share of the held-out combinations, named in full, that are drawn in full; NaN if
   *     no caption names one
   * @param features Fréchet distance of the classifier's features
   * @param patches Fréchet distance of patches
   * @param spectra Fréchet distance of spectra
   * @param nearest mean distance to the nearest training picture at 16 x 16, in levels
   * @param byAttribute share of each attribute that is drawn where it is named
   */
  record Result(
      Figure accuracy,
      double pairs,
      Figure features,
      Figure patches,
      Figure spectra,
      double nearest,
      Map<Attribute, Double> byAttribute) {}

  static Picture thumbnail(Picture picture) {
    return picture.reduced(16, 16);
  }

  /** Measures a set; picture k is for prompt k. */
  Result of(List<Prompt> prompts, List<Picture> pictures) {
    int count = pictures.size();
    int[] named = new int[count];
    int[] right = new int[count];
    int pairs = 0;
    int pairsRight = 0;
    Map<Attribute, int[]> each = new HashMap<>();
    List<double[]> read = new ArrayList<>();
    List<double[]> spectrum = new ArrayList<>();
    List<List<double[]>> patch = new ArrayList<>();
    double nearest = 0;
    for (int k = 0; k < count; k++) {
      Prompt prompt = prompts.get(k);
      SceneClassifier.Reading reading = classifier.read(pictures.get(k));
      for (Attribute attribute : prompt.caption().named()) {
        boolean drawn = reading.says(attribute, prompt.scene().value(attribute));
        int[] tally = each.computeIfAbsent(attribute, key -> new int[2]);
        named[k]++;
        tally[0]++;
        if (drawn) {
          right[k]++;
          tally[1]++;
        }
      }
      for (Scene.Combination pair : Scene.HELD_OUT) {
        Set<Attribute> both = Set.of(pair.first(), pair.second());
        if (pair.in(prompt.scene()) && prompt.caption().named().containsAll(both)) {
          pairs++;
          pairsRight +=
              both.stream().allMatch(a -> reading.says(a, prompt.scene().value(a))) ? 1 : 0;
        }
      }
      read.add(reading.features());
      spectrum.add(TextureStatistics.spectrum(pictures.get(k)));
      patch.add(TextureStatistics.patches(pictures.get(k)));
      nearest += nearest(thumbnail(pictures.get(k))) / count;
    }
    Map<Attribute, Double> byAttribute = new HashMap<>();
    each.forEach((attribute, t) -> byAttribute.put(attribute, (double) t[1] / t[0]));
    return new Result(
        figure(count, order -> ratio(right, named, order)),
        pairs == 0 ? Double.NaN : (double) pairsRight / pairs,
        figure(count, order -> features.of(chosen(read, order))),
        figure(
            count,
            order -> patches.of(chosen(patch, order).stream().flatMap(List::stream).toList())),
        figure(count, order -> spectra.of(chosen(spectrum, order))),
        nearest,
        byAttribute);
  }

  private static Figure figure(int count, java.util.function.ToDoubleFunction<int[]> measure) {
    int[] all = new int[count];
    for (int k = 0; k < count; k++) {
      all[k] = k;
    }
    return new Figure(measure.applyAsDouble(all), Bootstrap.interval(count, DRAWS, measure));
  }

  private static <T> List<T> chosen(List<T> all, int[] order) {
    List<T> chosen = new ArrayList<>(order.length);
    for (int k : order) {
      chosen.add(all.get(k));
    }
    return chosen;
  }

  private static double ratio(int[] right, int[] named, int[] order) {
    int part = 0;
    int whole = 0;
    for (int k : order) {
      part += right[k];
      whole += named[k];
    }
    return (double) part / whole;
  }

  private double nearest(Picture thumbnail) {
    double best = Double.MAX_VALUE;
    for (Picture known : trained) {
      best = Math.min(best, thumbnail.distance(known));
    }
    return best;
  }
}
