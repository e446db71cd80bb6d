package io.jitflow.flux.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.jitflow.core.token.TokenGrid;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;

class InpaintingTest {
  private static final TokenGrid GRID = new TokenGrid(8, 8);

  /** Black but for one pixel in each of these tokens. */
  private static Inpainting drawing(Inpainting.Context context, int... tokens) {
    BufferedImage mask = new BufferedImage(128, 128, BufferedImage.TYPE_INT_RGB);
    for (int token : tokens) {
      mask.setRGB(16 * GRID.col(token) + 15, 16 * GRID.row(token), 0xffffff);
    }
    return new Inpainting(SourceImage.of(mask), 0, context);
  }

  private static String map(boolean[] tokens) {
    StringBuilder map = new StringBuilder();
    for (int t = 0; t < tokens.length; t++) {
      map.append(tokens[t] ? 'x' : '.').append(GRID.col(t) == GRID.cols() - 1 ? "\n" : "");
    }
    return map.toString();
  }

  @Test
  void drawnTokens_areThoseWithAWhitePixel() {
    assertThat(map(drawing(Inpainting.Context.SPARSE, 18, 35, 63).drawnTokens()))
        .isEqualTo(
            """
            ........
            ........
            ..x.....
            ........
            ...x....
            ........
            ........
            .......x
            """);
  }

  @Test
  void seenTokens_sparse_areThoseNearTheMaskAndALattice() {
    assertThat(map(drawing(Inpainting.Context.SPARSE, 18, 35, 63).seenTokens(GRID)))
        .isEqualTo(
            """
            x.x.x.x.
            .xxx....
            xxxxx.x.
            .xxxx...
            x.xxx.x.
            ..xxx...
            x.x.x.xx
            ......xx
            """);
  }

  @Test
  void seenTokens_all_areAll() {
    assertThat(map(drawing(Inpainting.Context.ALL, 18).seenTokens(GRID)))
        .doesNotContain(".")
        .hasSize(8 * 9);
  }

  /** White counts from half of the luminance on, to which green gives the most and blue least. */
  @Test
  void drawnCells_greyAndColours_areTheNearerOfBlackAndWhite() {
    int[] colours = {
      0xffffff, 0x808080, 0x00ff00, 0xffff00, 0x7f7f7f, 0xff0000, 0x0000ff, 0x000000
    };
    BufferedImage mask = new BufferedImage(8, 1, BufferedImage.TYPE_INT_RGB);
    mask.setRGB(0, 0, 8, 1, colours, 0, 8);
    Inpainting part = new Inpainting(SourceImage.of(mask), 0, Inpainting.Context.ALL);
    assertThat(part.drawnCells(1))
        .containsExactly(true, true, true, true, false, false, false, false);
  }
}
