package io.jitflow.examples.bench;

import java.awt.Color;
import java.awt.Font;
import java.awt.image.BufferedImage;
import java.math.BigDecimal;
import java.math.MathContext;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;

/** Quality against cost, one line per method. */
public final class QualityChart {
  private static final int WIDTH_PX = 900;
  private static final int HEIGHT_PX = 560;

  /** Told apart on white, also when printed small; a method has the same in all charts. */
  private static final Map<String, Color> COLOURS =
      Map.of(
          "Euler", new Color(0x7f7f7f),
          "second order", new Color(0x1f77b4),
          "JiT as released", new Color(0xbcbd22),
          "JiT as in the paper", new Color(0x9467bd),
          "JiT as in the paper, second order", new Color(0xff7f0e),
          "JiT, our settings", new Color(0xd62728),
          "low resolution first", new Color(0x2ca02c),
          "VDE", new Color(0x17becf));

  private static final MathContext TWO_DIGITS = new MathContext(2);
  private static final MathContext THREE_DIGITS = new MathContext(3);

  private QualityChart() {}

  /** Whether the lines of a method have a colour of their own. */
  static boolean hasColour(String method) {
    return COLOURS.containsKey(method);
  }

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
    if (lines.values().stream().allMatch(List::isEmpty)) {
      throw new IllegalArgumentException("a chart needs a point, got none");
    }
    // the library's own logarithmic axis labels powers of ten only
    chart
        .getStyler()
        .setxAxisTickLabelsFormattingFunction(power -> text(Math.pow(10, power), TWO_DIGITS));
    chart
        .getStyler()
        .setyAxisTickLabelsFormattingFunction(
            axis == Axis.LOGARITHMIC
                ? power -> text(Math.pow(10, power), THREE_DIGITS)
                : value -> text(value, THREE_DIGITS));
    chart.getStyler().setXAxisTickMarkSpacingHint(50);
    chart.getStyler().setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setPlotGridLinesColor(new Color(0xdddddd));
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    chart.getStyler().setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    chart.getStyler().setMarkerSize(7);
    lines.forEach(
        (name, points) -> {
          List<Point> sorted =
              points.stream().sorted((a, b) -> Double.compare(a.cost, b.cost)).toList();
          Color colour = COLOURS.getOrDefault(name, Color.BLACK);
          XYSeries series =
              chart.addSeries(
                  name,
                  sorted.stream().mapToDouble(point -> Math.log10(point.cost)).toArray(),
                  sorted.stream()
                      .mapToDouble(Point::quality)
                      .map(axis == Axis.LOGARITHMIC ? Math::log10 : DoubleUnaryOperator.identity())
                      .toArray());
          series.setMarkerColor(colour).setLineColor(colour);
        });
    return BitmapEncoder.getBufferedImage(chart);
  }

  private static String text(double value, MathContext digits) {
    return new DecimalFormat("#,##0.#####", DecimalFormatSymbols.getInstance(Locale.ROOT))
        .format(new BigDecimal(value).round(digits));
  }
}
