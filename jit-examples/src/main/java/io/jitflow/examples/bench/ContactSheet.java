package io.jitflow.examples.bench;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/**
 * Pictures side by side, each with a few lines of text below it.
 *
 * <p>On a machine without fonts the text is left out: a sheet without labels is better than none
 * after an hour of computing.
 */
public final class ContactSheet {

  private static final int GAP_PX = 16;
  private static final int SMALLEST_PANEL_PX = 256;
  private static final Color PAPER = new Color(0x1b1b1f);
  private static final Color INK = new Color(0xe8e8ea);
  private static final Color FAINT_INK = new Color(0xa0a0a8);

  private ContactSheet() {}

  /**
   * One picture of the sheet.
   *
   * @param image the picture
   * @param lines what stands below it; the first line is the heading
   */
  public record Panel(BufferedImage image, List<String> lines) {
    public Panel {
      lines = List.copyOf(lines);
    }
  }

  /**
   * Draws the sheet.
   *
   * @param title one line above the pictures, shortened if it is too long
   * @param rows at least one row of at least one panel; all pictures of the same size
   */
  public static BufferedImage draw(String title, List<List<Panel>> rows) {
    BufferedImage first = rows.get(0).get(0).image();
    // small pictures are enlarged by a whole factor, so that their pixels stay square
    int scale = Math.max(1, (int) Math.ceil((double) SMALLEST_PANEL_PX / first.getWidth()));
    int panelWidth = first.getWidth() * scale;
    int panelHeight = first.getHeight() * scale;
    int fontPx = Math.max(12, panelWidth / 28);
    int linePx = fontPx * 3 / 2;

    int columns = rows.stream().mapToInt(List::size).max().orElseThrow();
    int width = GAP_PX + columns * (panelWidth + GAP_PX);
    int height = GAP_PX + linePx + GAP_PX;
    for (List<Panel> row : rows) {
      height += rowHeight(row, panelHeight, linePx);
    }
    BufferedImage sheet = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    try {
      graphics.setRenderingHint(
          RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      graphics.setColor(PAPER);
      graphics.fillRect(0, 0, width, height);
      write(graphics, title, GAP_PX, GAP_PX + fontPx, width - 2 * GAP_PX, fontPx, Font.BOLD);
      int top = GAP_PX + linePx + GAP_PX;
      for (List<Panel> row : rows) {
        int left = GAP_PX;
        for (Panel panel : row) {
          graphics.drawImage(panel.image(), left, top, panelWidth, panelHeight, null);
          int baseline = top + panelHeight + GAP_PX / 2 + fontPx;
          int style = Font.BOLD;
          for (String line : panel.lines()) {
            write(graphics, line, left, baseline, panelWidth, fontPx, style);
            baseline += linePx;
            style = Font.PLAIN;
          }
          left += panelWidth + GAP_PX;
        }
        top += rowHeight(row, panelHeight, linePx);
      }
    } finally {
      graphics.dispose();
    }
    return sheet;
  }

  private static int rowHeight(List<Panel> row, int panelHeight, int linePx) {
    int lines = row.stream().mapToInt(panel -> panel.lines().size()).max().orElse(0);
    return panelHeight + GAP_PX / 2 + lines * linePx + GAP_PX;
  }

  private static void write(
      Graphics2D graphics,
      String text,
      int left,
      int baseline,
      int widthPx,
      int fontPx,
      int style) {
    try {
      graphics.setFont(new Font(Font.SANS_SERIF, style, fontPx));
      graphics.setColor(style == Font.BOLD ? INK : FAINT_INK);
      graphics.drawString(
          shorten(oneLine(text), graphics.getFontMetrics(), widthPx), left, baseline);
    } catch (RuntimeException | InternalError | LinkageError e) {
      // Java without fontconfig or without any font fails in one of these ways
      return;
    }
  }

  private static String oneLine(String text) {
    return text.strip().replaceAll("[\\s\\p{Cntrl}]+", " ");
  }

  private static String shorten(String text, FontMetrics metrics, int widthPx) {
    if (metrics.stringWidth(text) <= widthPx) {
      return text;
    }
    int end = Math.min(text.length(), 2 * widthPx); // no letter is narrower than half a pixel
    while (end > 0 && metrics.stringWidth(text.substring(0, end) + "…") > widthPx) {
      end = text.offsetByCodePoints(end, -1);
    }
    return text.substring(0, end) + "…";
  }
}
