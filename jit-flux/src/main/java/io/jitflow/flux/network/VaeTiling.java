package io.jitflow.flux.network;

import io.jitflow.core.check.Checks;

/**
 * How large latents are decoded piece by piece: square tiles that overlap and are blended linearly.
 *
 * <p>Memory then depends on the tile and not on the image. The decoder normalises over what it is
 * given, so tiles differ slightly in tone from an image decoded whole; larger tiles and overlaps
 * hide it better.
 *
 * @param tile side of a tile in latent pixels; latents that fit into one tile are decoded whole
 * @param overlap width in latent pixels over which neighbouring tiles are blended, at most half of
 *     the tile; tiles may overlap further so that all have the same size
 */
public record VaeTiling(int tile, int overlap) {
  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if the tile is not positive or the overlap not between 1 and
   *     half of the tile
   */
  public VaeTiling {
    Sizes.requirePositive("tile", tile);
    Checks.argument(
        overlap >= 1 && overlap <= tile / 2,
        "overlap must lie in 1..%d for tile %d, got %d",
        tile / 2,
        tile,
        overlap);
  }
}
