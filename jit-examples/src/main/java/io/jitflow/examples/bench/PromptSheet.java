package io.jitflow.examples.bench;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * Pictures of several prompts, one row per sampler.
 *
 * <p>On a machine without fonts the text is left out.
 */
public final class PromptSheet {
  private static final int CELL_PX = 192;
  private static final int GAP_PX = 6;
  private static final int LEAST_LABEL_PX = 190;
  private static final int FONT_PX = 15;

  private PromptSheet() {}

  /**
   * A row.
   *
   * @param label lines of text; the first is the heading
   * @param pictures one per prompt
   */
  public record Row(List<String> label, List<BufferedImage> pictures) {
    public Row {
      label = List.copyOf(label);
      pictures = List.copyOf(pictures);
    }
  }

  /** Draws the sheet of at least one row. */
  public static BufferedImage draw(List<Row> rows) {
    int columns = rows.get(0).pictures.size();
    int labelPx = labelWidth(rows);
    BufferedImage sheet =
        new BufferedImage(
            labelPx + columns * (CELL_PX + GAP_PX) + GAP_PX,
            rows.size() * (CELL_PX + GAP_PX) + GAP_PX,
            BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
      graphics.setRenderingHint(
          RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      graphics.setColor(Color.WHITE);
      graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
      int top = GAP_PX;
      for (Row row : rows) {
        write(graphics, row.label, top);
        int left = labelPx + GAP_PX;
        for (BufferedImage picture : row.pictures) {
          graphics.drawImage(picture, left, top, CELL_PX, CELL_PX, null);
          left += CELL_PX + GAP_PX;
        }
        top += CELL_PX + GAP_PX;
      }
    } finally {
      graphics.dispose();
    }
    return sheet;
  }

  /** A picture as it stands in a sheet, square. */
  public static BufferedImage small(BufferedImage picture, int sidePx) {
    BufferedImage small = new BufferedImage(sidePx, sidePx, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = small.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    graphics.drawImage(picture, 0, 0, sidePx, sidePx, null);
    graphics.dispose();
    return small;
  }

  /** As wide as the longest line needs. */
  private static int labelWidth(List<Row> rows) {
    Graphics2D graphics = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
    try {
      FontMetrics bold = graphics.getFontMetrics(font(Font.BOLD));
      return rows.stream()
          .flatMap(row -> row.label.stream())
          .mapToInt(line -> bold.stringWidth(line) + 3 * GAP_PX)
          .reduce(LEAST_LABEL_PX, Math::max);
    } catch (RuntimeException | InternalError | LinkageError e) {
      return LEAST_LABEL_PX; // no text will be drawn either
    } finally {
      graphics.dispose();
    }
  }

  private static Font font(int style) {
    return new Font(Font.SANS_SERIF, style, FONT_PX);
  }

  private static void write(Graphics2D graphics, List<String> lines, int top) {
    try {
      int baseline = top + CELL_PX / 2 - lines.size() * FONT_PX / 2;
      int style = Font.BOLD;
      graphics.setColor(Color.DARK_GRAY);
      for (String line : lines) {
        graphics.setFont(font(style));
        graphics.drawString(line, 2 * GAP_PX, baseline);
        baseline += FONT_PX * 3 / 2;
        style = Font.PLAIN;
      }
    } catch (RuntimeException | InternalError | LinkageError e) {
      // Java without fontconfig or without any font fails in one of these ways
      return;
    }
  }
}
