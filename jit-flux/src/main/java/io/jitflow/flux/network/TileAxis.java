package io.jitflow.flux.network;

/**
 * Where the tiles of one image axis lie and with which weights they are blended. The weights of all
 * tiles add up to one at every pixel; along both axes they multiply.
 */
final class TileAxis {
  private final int[] starts;
  private final int tile;
  private final int scale;
  private final float[][] weights;

  /**
   * Covers an axis evenly with the fewest tiles.
   *
   * @param length latent pixels of the axis
   * @param tiling tile and least overlap
   * @param scale image pixels per latent pixel
   */
  TileAxis(int length, VaeTiling tiling, int scale) {
    this.tile = Math.min(tiling.tile(), length);
    this.scale = scale;
    int overlap = tiling.overlap();
    int count =
        length <= tile ? 1 : (int) Math.ceil((length - overlap) / (double) (tile - overlap));
    this.starts = new int[count];
    for (int i = 1; i < count; i++) {
      starts[i] = (int) Math.round(i * (double) (length - tile) / (count - 1));
    }
    this.weights = weights(length * scale, overlap * scale);
  }

  int count() {
    return starts.length;
  }

  /** First latent pixel of a tile. */
  int start(int index) {
    return starts[index];
  }

  /** Latent pixels of every tile. */
  int tile() {
    return tile;
  }

  /** Blending weights of a tile's image pixels. */
  float[] weights(int index) {
    return weights[index];
  }

  /** A ramp over the overlap at each end that is not an end of the image, divided by the sum. */
  private float[][] weights(int pixels, int ramp) {
    double[][] raw = new double[starts.length][tile * scale];
    double[] sum = new double[pixels];
    for (int i = 0; i < starts.length; i++) {
      for (int x = 0; x < tile * scale; x++) {
        double fromStart = i == 0 ? 1 : (x + 0.5) / ramp;
        double toEnd = i == starts.length - 1 ? 1 : (tile * scale - x - 0.5) / ramp;
        raw[i][x] = Math.min(1, Math.min(fromStart, toEnd));
        sum[starts[i] * scale + x] += raw[i][x];
      }
    }
    float[][] normalised = new float[starts.length][tile * scale];
    for (int i = 0; i < starts.length; i++) {
      for (int x = 0; x < tile * scale; x++) {
        normalised[i][x] = (float) (raw[i][x] / sum[starts[i] * scale + x]);
      }
    }
    return normalised;
  }
}
