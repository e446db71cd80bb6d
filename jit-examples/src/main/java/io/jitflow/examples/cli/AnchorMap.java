package io.jitflow.examples.cli;

import io.jitflow.core.SamplingStep;
import io.jitflow.core.token.TokenSubset;
import io.jitflow.examples.bench.ContactSheet;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;

/**
 * A picture of the tokens that the transformer evaluated in each stage: the finished image, with
 * the other tokens darkened and the newly joined ones tinted.
 */
final class AnchorMap {

  private static final int TINT = 0xff8c1a;
  private static final double TINT_SHARE = 0.45;
  private static final double DARKENED = 0.22;

  private AnchorMap() {}

  /**
   * One panel per stage, in the order in which they ran.
   *
   * @param run the run's name, for the labels
   * @param image the finished image
   * @param steps all steps of its run
   */
  static List<ContactSheet.Panel> panels(
      String run, BufferedImage image, List<SamplingStep> steps) {
    List<ContactSheet.Panel> panels = new ArrayList<>();
    boolean[] before = new boolean[steps.get(0).active().grid().tokens()];
    for (int first = 0; first < steps.size(); ) {
      SamplingStep step = steps.get(first);
      int last = first;
      while (last + 1 < steps.size() && steps.get(last + 1).stage() == step.stage()) {
        last++;
      }
      boolean[] active = step.active().mask(0);
      panels.add(
          new ContactSheet.Panel(
              paint(image, step.active(), active, before), label(run, step, first, last)));
      before = active;
      first = last + 1;
    }
    return panels;
  }

  private static List<String> label(String run, SamplingStep step, int first, int last) {
    TokenSubset active = step.active();
    return List.of(
        "%s, stage %d of %d".formatted(run, step.stage() + 1, step.stages()),
        first == last ? "step " + (first + 1) : "steps %d to %d".formatted(first + 1, last + 1),
        "%,d of %,d tokens (%.0f %%)"
            .formatted(active.count(), active.grid().tokens(), 100 * active.density()));
  }

  private static BufferedImage paint(
      BufferedImage image, TokenSubset subset, boolean[] active, boolean[] before) {
    int width = image.getWidth();
    int height = image.getHeight();
    int cellWidth = width / subset.grid().cols();
    int cellHeight = height / subset.grid().rows();
    boolean firstStage = !any(before);
    BufferedImage map = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int token = subset.grid().index(y / cellHeight, x / cellWidth);
        int rgb = image.getRGB(x, y);
        if (!active[token]) {
          rgb = mix(rgb, 0, 1 - DARKENED);
        } else if (!firstStage && !before[token]) {
          rgb = mix(rgb, TINT, TINT_SHARE);
        }
        map.setRGB(x, y, rgb);
      }
    }
    return map;
  }

  private static boolean any(boolean[] mask) {
    for (boolean set : mask) {
      if (set) {
        return true;
      }
    }
    return false;
  }

  private static int mix(int rgb, int other, double share) {
    int mixed = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
      int a = rgb >> shift & 0xff;
      int b = other >> shift & 0xff;
      mixed |= (int) Math.round(a + (b - a) * share) << shift;
    }
    return mixed;
  }
}
