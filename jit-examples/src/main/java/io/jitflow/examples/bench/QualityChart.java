package io.jitflow.examples.bench;

import java.awt.Color;
import java.awt.Font;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;

/** Quality against cost, one line per method. */
public final class QualityChart {
  private static final int WIDTH_PX = 900;
  private static final int HEIGHT_PX = 560;

  /** From here on a number is told without decimals. */
  private static final double LARGE = 100;

  /** Told apart on white, also when printed small. */
  private static final Color[] COLOURS = {
    new Color(0x7f7f7f),
    new Color(0x1f77b4),
    new Color(0xbcbd22),
    new Color(0x9467bd),
    new Color(0xff7f0e),
    new Color(0xd62728),
    new Color(0x2ca02c),
    new Color(0x17becf)
  };

  private QualityChart() {}

  /**
   * A point of a line.
   *
   * @param cost in full forward passes
   * @param quality whatever the chart shows, above 0 for a logarithmic axis
   */
  public record Point(double cost, double quality) {}

  /** How the vertical axis runs. */
  public enum Axis {
    LINEAR,
    LOGARITHMIC
  }

  /**
   * Draws a chart.
   *
   * @param title the title
   * @param quality the name of the vertical axis
   * @param axis how it runs
   * @param lines the points of every method, by its name
   */
  public static BufferedImage draw(
      String title, String quality, Axis axis, Map<String, List<Point>> lines) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH_PX)
            .height(HEIGHT_PX)
            .title(title)
            .xAxisTitle("cost, full forward passes")
            .yAxisTitle(quality)
            .build();
    chart.getStyler().setXAxisLogarithmic(true);
    chart.getStyler().setYAxisLogarithmic(axis == Axis.LOGARITHMIC);
    // not "2E3" for 1,630, which is what a logarithmic axis of less than a decade says by itself
    double largest =
        lines.values().stream()
            .flatMap(List::stream)
            .mapToDouble(Point::quality)
            .max()
            .orElseThrow(() -> new IllegalArgumentException("a chart needs a point, got none"));
    chart.getStyler().setYAxisDecimalPattern(largest < LARGE ? "0.#####" : "#,##0");
    chart.getStyler().setXAxisDecimalPattern("#,##0.#");
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xdddddd));
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    chart.getStyler().setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    chart.getStyler().setMarkerSize(7);
    chart.getStyler().setSeriesColors(COLOURS);
    lines.forEach(
        (name, points) -> {
          List<Point> sorted =
              points.stream().sorted((a, b) -> Double.compare(a.cost, b.cost)).toList();
          chart.addSeries(
              name,
              sorted.stream().mapToDouble(Point::cost).toArray(),
              sorted.stream().mapToDouble(Point::quality).toArray());
        });
    return BitmapEncoder.getBufferedImage(chart);
  }
}
