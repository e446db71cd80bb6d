package io.jitflow.flux.image;

import io.jitflow.core.check.Checks;
import io.jitflow.core.token.TokenGrid;
import java.util.Arrays;
import java.util.Objects;

/**
 * Which part of the start image is drawn anew.
 *
 * @param mask white is drawn, black stays; what is between counts as the nearer of both
 * @param featherPx over how many px, inside the white part, the drawn part fades into the kept one;
 *     0 for a hard edge
 * @param context what the network sees of the kept part
 */
public record Inpainting(SourceImage mask, int featherPx, Context context) {
  private static final int LARGEST_FEATHER_PX = 512;
  private static final int TOKEN_PX = ImageRequest.SIZE_STEP_PX;

  /** What the network sees of the part that stays. */
  public enum Context {
    /** Every token, as without a mask. */
    ALL,
    /** The tokens near the mask, and of the others every second row and column. */
    SPARSE
  }

  /**
   * Checks the values.
   *
   * @param mask not black everywhere
   * @param featherPx 0 to 512
   * @param context any
   * @throws IllegalArgumentException if the feather is out of range or the mask is black everywhere
   */
  public Inpainting {
    Objects.requireNonNull(mask, "mask");
    Objects.requireNonNull(context, "context");
    Checks.range("featherPx", featherPx, 0, LARGEST_FEATHER_PX);
    if (mask.hasPixels()) {
      boolean drawn = false;
      for (int pixel : mask.pixels()) {
        drawn |= isWhite(pixel);
      }
      Checks.argument(
          drawn,
          "the mask is black everywhere, so nothing would be drawn; paint white what is to be"
              + " drawn");
    }
  }

  private static boolean isWhite(int pixel) {
    // the luminance of ITU-R BT.601, which image programs use for grey
    return 299 * (pixel >> 16 & 255) + 587 * (pixel >> 8 & 255) + 114 * (pixel & 255) >= 127_500;
  }

  /**
   * Returns which cells of a grid have a white pixel.
   *
   * @param cellPx the side of a cell
   * @return a value for each cell, row by row
   */
  public boolean[] drawnCells(int cellPx) {
    int columns = mask.widthPx() / cellPx;
    boolean[] drawn = new boolean[columns * (mask.heightPx() / cellPx)];
    int[] pixels = mask.pixels();
    for (int i = 0; i < pixels.length; i++) {
      if (isWhite(pixels[i])) {
        drawn[i / mask.widthPx() / cellPx * columns + i % mask.widthPx() / cellPx] = true;
      }
    }
    return drawn;
  }

  /** {@return which tokens the sampler draws: those with a white pixel} */
  public boolean[] drawnTokens() {
    return drawnCells(TOKEN_PX);
  }

  /**
   * Returns which tokens the network sees.
   *
   * @param grid the grid of the tokens
   * @return those that are drawn, and the context
   */
  public boolean[] seenTokens(TokenGrid grid) {
    boolean[] drawn = drawnTokens();
    boolean[] seen = drawn.clone();
    if (context == Context.ALL) {
      Arrays.fill(seen, true);
      return seen;
    }
    for (int t = 0; t < seen.length; t++) {
      int row = grid.row(t);
      int col = grid.col(t);
      seen[t] |= row % 2 == 0 && col % 2 == 0;
      if (drawn[t]) {
        for (int r = Math.max(0, row - 1); r <= Math.min(grid.rows() - 1, row + 1); r++) {
          for (int c = Math.max(0, col - 1); c <= Math.min(grid.cols() - 1, col + 1); c++) {
            seen[r * grid.cols() + c] = true;
          }
        }
      }
    }
    return seen;
  }

  /**
   * Returns how much of each pixel is drawn.
   *
   * @return 0 wherever the mask is black, rising to 1 over the feather inside the white part
   */
  public float[] alpha() {
    int width = mask.widthPx();
    int height = mask.heightPx();
    int[] distance = new int[width * height];
    int[] pixels = mask.pixels();
    int far = featherPx + 1;
    for (int i = 0; i < distance.length; i++) {
      distance[i] = isWhite(pixels[i]) ? far : 0;
    }
    // the distance to the next black pixel along rows, columns and diagonals, in two sweeps
    for (int sweep = 0; sweep < 2; sweep++) {
      int step = sweep == 0 ? 1 : -1;
      for (int k = 0; k < distance.length; k++) {
        int i = sweep == 0 ? k : distance.length - 1 - k;
        int x = i % width;
        int y = i / width;
        int least = distance[i];
        for (int[] before : new int[][] {{-1, 0}, {-1, -1}, {0, -1}, {1, -1}}) {
          int bx = x + step * before[0];
          int by = y + step * before[1];
          if (bx >= 0 && bx < width && by >= 0 && by < height) {
            least = Math.min(least, distance[by * width + bx] + 1);
          }
        }
        distance[i] = least;
      }
    }
    float[] alpha = new float[distance.length];
    for (int i = 0; i < alpha.length; i++) {
      alpha[i] = (float) distance[i] / far;
    }
    return alpha;
  }
}
