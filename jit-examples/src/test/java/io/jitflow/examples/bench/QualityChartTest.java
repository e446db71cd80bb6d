package io.jitflow.examples.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jitflow.core.SigmaSchedule;
import io.jitflow.examples.bench.QualityChart.Axis;
import io.jitflow.examples.bench.QualityChart.Point;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class QualityChartTest {
  private static final List<Point> POINTS = List.of(new Point(5, 1630), new Point(7, 1007));
  private static final int RED = 0xd62728;
  private static final int BLUE = 0x1f77b4;

  private static long pixels(BufferedImage chart, int colour) {
    int[] rgb = chart.getRGB(0, 0, chart.getWidth(), chart.getHeight(), null, 0, chart.getWidth());
    return Arrays.stream(rgb).filter(pixel -> (pixel & 0xffffff) == colour).count();
  }

  private static BufferedImage chart(String... methods) {
    Map<String, List<Point>> lines = new LinkedHashMap<>();
    for (String method : methods) {
      lines.put(method, POINTS);
    }
    return QualityChart.draw("a chart", "a distance", Axis.LOGARITHMIC, lines);
  }

  @Test
  void draw_aMethod_hasItsColourWhateverStandsBeside() {
    BufferedImage alone = chart("JiT, our settings");
    assertThat(pixels(alone, RED)).isPositive();
    assertThat(pixels(alone, BLUE)).isZero();
    BufferedImage both = chart("second order", "JiT, our settings");
    assertThat(pixels(both, RED)).isPositive();
    assertThat(pixels(both, BLUE)).isPositive();
  }

  @Test
  void draw_everyMethodOfTheComparison_hasAColour() {
    assertThat(NamedSampler.all(SigmaSchedule.linear()))
        .extracting(NamedSampler::method)
        .allSatisfy(method -> assertThat(QualityChart.hasColour(method)).as(method).isTrue());
  }

  @Test
  void draw_noPoint_isTold() {
    assertThatThrownBy(() -> QualityChart.draw("a chart", "a distance", Axis.LINEAR, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("needs a point");
  }
}
