package io.jitflow.examples.scenes;

import io.jitflow.examples.bench.Bootstrap;
import io.jitflow.examples.bench.Bootstrap.Interval;
import io.jitflow.examples.bench.FrechetDistance;
import io.jitflow.examples.bench.Moments;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** What a set of pictures, one for each prompt, is measured by. */
final class SceneMeasures {
  private final SceneClassifier classifier;
  private final List<Picture> trained;
  private final FrechetDistance features;
  private final FrechetDistance patches;
  private final FrechetDistance spectra;
  private final int draws;

  /**
   * Measures against fresh renders.
   *
   * @param classifier reads the pictures
   * @param renders what the pictures should look like, of the same size; none is kept
   * @param trained training pictures, reduced by {@link #thumbnail}
   * @param draws how often to draw the prompts again for intervals
   */
  SceneMeasures(
      SceneClassifier classifier, Stream<Picture> renders, List<Picture> trained, int draws) {
    this.classifier = classifier;
    this.trained = trained;
    this.draws = draws;
    List<double[]> read = new ArrayList<>();
    List<double[]> spectrum = new ArrayList<>();
    List<Moments> patch = new ArrayList<>();
    renders.forEach(
        picture -> {
          read.add(classifier.read(picture).features());
          spectrum.add(TextureStatistics.spectrum(picture));
          patch.add(Moments.of(TextureStatistics.patches(picture)));
        });
    this.features = FrechetDistance.to(read);
    this.spectra = FrechetDistance.to(spectrum);
    this.patches = FrechetDistance.to(Moments.together(patch));
  }

  /**
   * One of the prompts.
   *
   * @param scene whose caption it is
   * @param caption what was asked for
   */
  record Prompt(Scene scene, Caption caption) {
    /** The held-out combinations that the caption names in full. */
    private List<Scene.Combination> pairs() {
      return Scene.HELD_OUT.stream()
          .filter(pair -> pair.in(scene))
          .filter(pair -> caption.named().containsAll(Set.of(pair.first(), pair.second())))
          .toList();
    }
  }

  /**
   * What one picture shows, and what it looks like.
   *
   * @param read the value of every attribute
   * @param features what the classifier bases that on
   * @param spectrum {@link TextureStatistics#spectrum}
   * @param patches {@link TextureStatistics#patches}
   * @param nearest distance to the nearest training picture at 16 x 16, in levels
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared; Gson writes arrays as they are
  record Measured(
      Map<Attribute, Integer> read,
      double[] features,
      double[] spectrum,
      Moments patches,
      double nearest) {
    private boolean shows(Prompt prompt, Attribute attribute) {
      return read.get(attribute) == prompt.scene().value(attribute);
    }

    private boolean shows(Prompt prompt, Scene.Combination pair) {
      return shows(prompt, pair.first()) && shows(prompt, pair.second());
    }
  }

  /** A figure with the interval that other prompts might have given. */
  record Figure(Bootstrap.Draws draws) {
    double value() {
      return draws.whole();
    }

    /** What it is more than that of another set, for the same prompts. */
    Figure minus(Figure other) {
      return new Figure(draws.minus(other.draws));
    }

    String percent() {
      return text("%.1f (%.1f to %.1f)", 100);
    }

    /** Of a difference: signed, with as many digits as tell it from 0. */
    String signed(double unit) {
      Interval interval = draws.interval();
      double widest = unit * Math.max(Math.abs(interval.low()), Math.abs(interval.high()));
      int digits = widest < 1 ? 3 : widest < 100 ? 1 : 0;
      return String.format(
          Locale.ROOT,
          "%%+.%1$df (%%+.%1$df to %%+.%1$df)".formatted(digits),
          unit * value(),
          unit * interval.low(),
          unit * interval.high());
    }

    /** With as many digits as tell sets apart. */
    String text() {
      return text(value() < 1 ? "%.4f (%.4f to %.4f)" : "%.2f (%.2f to %.2f)", 1);
    }

    private String text(String form, double unit) {
      Interval interval = draws.interval();
      double low = Math.max(0, interval.low());
      return String.format(Locale.ROOT, form, unit * value(), unit * low, unit * interval.high());
    }
  }

  /**
   * The measures of a set.
   *
   * @param accuracy share of the named attributes that are drawn
   * @param pairs held-out combinations, named in full, that are drawn in full
   * @param features Fréchet distance of the classifier's features
   * @param patches Fréchet distance of patches
   * @param spectra Fréchet distance of spectra
   * @param nearest mean distance to the nearest training picture at 16 x 16, in levels
   * @param copied the smallest of these distances
   * @param byAttribute how often each attribute is drawn where it is named
   */
  record Result(
      Figure accuracy,
      Tally pairs,
      Figure features,
      Figure patches,
      Figure spectra,
      double nearest,
      double copied,
      Map<Attribute, Tally> byAttribute) {}

  /**
   * How many of a few are drawn; too few for a percentage.
   *
   * @param drawn of them
   * @param named all
   */
  record Tally(int drawn, int named) {
    private static final Tally NONE = new Tally(0, 0);

    private Tally and(boolean yes) {
      return new Tally(drawn + (yes ? 1 : 0), named + 1);
    }

    @Override
    public String toString() {
      return named == 0 ? "" : drawn + " of " + named;
    }
  }

  static Picture thumbnail(Picture picture) {
    return picture.reduced(16, 16);
  }

  /** Measures one picture. */
  Measured of(Picture picture) {
    SceneClassifier.Reading reading = classifier.read(picture);
    Picture thumbnail = thumbnail(picture);
    return new Measured(
        reading.values(),
        reading.features(),
        TextureStatistics.spectrum(picture),
        Moments.of(TextureStatistics.patches(picture)),
        trained.stream().mapToDouble(thumbnail::distance).min().orElse(Double.NaN));
  }

  /** Measures a set; picture k is for prompt k. At least two. */
  Result of(List<Prompt> prompts, List<Measured> pictures) {
    int count = pictures.size();
    int[] named = new int[count];
    int[] right = new int[count];
    Tally pairs = Tally.NONE;
    Map<Attribute, Tally> each = new EnumMap<>(Attribute.class);
    for (int k = 0; k < count; k++) {
      Prompt prompt = prompts.get(k);
      Measured picture = pictures.get(k);
      for (Attribute attribute : prompt.caption().named()) {
        boolean drawn = picture.shows(prompt, attribute);
        named[k]++;
        right[k] += drawn ? 1 : 0;
        each.merge(attribute, Tally.NONE.and(drawn), (before, one) -> before.and(drawn));
      }
      for (Scene.Combination pair : prompt.pairs()) {
        pairs = pairs.and(picture.shows(prompt, pair));
      }
    }
    return new Result(
        figure(count, order -> sum(right, order) / sum(named, order)),
        pairs,
        figure(count, order -> features.of(chosen(order, k -> pictures.get(k).features))),
        figure(
            count,
            order -> patches.of(Moments.together(chosen(order, k -> pictures.get(k).patches)))),
        figure(count, order -> spectra.of(chosen(order, k -> pictures.get(k).spectrum))),
        pictures.stream().mapToDouble(Measured::nearest).average().orElseThrow(),
        pictures.stream().mapToDouble(Measured::nearest).min().orElseThrow(),
        each);
  }

  private Figure figure(int count, ToDoubleFunction<int[]> measure) {
    return new Figure(Bootstrap.draw(count, draws, measure));
  }

  private static <T> List<T> chosen(int[] order, IntFunction<T> part) {
    return Arrays.stream(order).mapToObj(part).toList();
  }

  private static double sum(int[] values, int[] order) {
    return Arrays.stream(order).map(k -> values[k]).sum();
  }
}
