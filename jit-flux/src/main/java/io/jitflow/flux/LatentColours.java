package io.jitflow.flux;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.flux.network.VaeEncoder;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.Random;

/**
 * The linear map from the channels of a latent pixel to the mean colour of its 8 x 8 px, by least
 * squares over pictures of random patches that the autoencoder's encoder has seen: few and many, on
 * white, black and coloured grounds, because the encoder's norms see a whole picture.
 */
final class LatentColours implements AutoCloseable {
  private static final int COLOURS = 3;

  /** Latent pixels of a token, two in each direction. */
  private static final int PARTS = 4;

  /** Latent pixels along a side of the pictures that the map is fitted to. */
  private static final int CELLS = 16;

  private static final int PICTURES = 12;

  /** Keeps the equations solvable where the encoder leaves a channel unused. */
  private static final double RIDGE = 1e-4;

  /** {@code [4 channels, 12]}: from a token to the levels of its four pixels, 0 to 255. */
  private final NDArray factors;

  /** {@code [12]}; what is added, and a half for rounding. */
  private final NDArray offsets;

  /**
   * Spreads the map over the pixels of a token.
   *
   * @param channels channels of a latent pixel
   * @param map for each colour, from -1 to 1, the factors of the channels, then the constant
   */
  private LatentColours(NDManager owner, int channels, double[][] map) {
    float[] spread = new float[PARTS * channels * PARTS * COLOURS];
    float[] added = new float[PARTS * COLOURS];
    for (int part = 0; part < PARTS; part++) {
      for (int colour = 0; colour < COLOURS; colour++) {
        int column = COLOURS * part + colour;
        added[column] = (float) ((map[colour][channels] + 1) * 127.5 + 0.5);
        for (int c = 0; c < channels; c++) {
          spread[(PARTS * c + part) * PARTS * COLOURS + column] = (float) (map[colour][c] * 127.5);
        }
      }
    }
    factors = owner.create(spread, new Shape((long) PARTS * channels, PARTS * COLOURS));
    offsets = owner.create(added);
  }

  /**
   * Fits the map; deterministic.
   *
   * @param encoder the model's own
   * @param owner of the map, on the device of the latents that will be painted
   */
  static LatentColours fit(VaeEncoder encoder, NDManager owner) {
    int scale = encoder.architecture().scale();
    int channels = encoder.architecture().latentChannels();
    int side = CELLS * scale;
    int cells = CELLS * CELLS;
    int unknown = channels + 1;
    double[][] normal = new double[unknown][unknown];
    double[][] right = new double[COLOURS][unknown];
    double[] row = new double[unknown];
    Random random = new Random(1);
    for (int number = 0; number < PICTURES; number++) {
      float[] picture = patches(side, number, random);
      float[] latents;
      try (NDManager manager = NDManager.newBaseManager(encoder.device(), "PyTorch")) {
        NDArray pixels = manager.create(picture, new Shape(1, COLOURS, side, side));
        latents = encoder.encode(pixels).toFloatArray();
      }
      for (int cell = 0; cell < cells; cell++) {
        for (int c = 0; c < channels; c++) {
          row[c] = latents[c * cells + cell];
        }
        row[channels] = 1;
        for (int a = 0; a < unknown; a++) {
          for (int b = 0; b < unknown; b++) {
            normal[a][b] += row[a] * row[b];
          }
          for (int colour = 0; colour < COLOURS; colour++) {
            right[colour][a] += row[a] * mean(picture, side, scale, colour, cell);
          }
        }
      }
    }
    double[][] map = new double[COLOURS][];
    for (int a = 0; a < unknown; a++) {
      normal[a][a] += RIDGE * cells * PICTURES;
    }
    for (int colour = 0; colour < COLOURS; colour++) {
      map[colour] = solve(normal, right[colour]);
    }
    return new LatentColours(owner, channels, map);
  }

  /** Rectangles of random colours and sizes on a ground, in [-1, 1]. */
  private static float[] patches(int side, int number, Random random) {
    float[] picture = new float[COLOURS * side * side];
    int patches = number % 2 == 0 ? 8 : 60;
    for (int patch = 0; patch <= patches; patch++) {
      boolean ground = patch == 0;
      int size = ground ? side : 8 + random.nextInt(number % 2 == 0 ? side / 2 : side / 4);
      int left = ground ? 0 : random.nextInt(side) - size / 2;
      int top = ground ? 0 : random.nextInt(side) - size / 2;
      for (int c = 0; c < COLOURS; c++) {
        float value = 2 * random.nextFloat() - 1;
        if (ground && number % 3 < 2) {
          value = number % 3 == 0 ? 1 : -1;
        }
        for (int y = Math.max(0, top); y < Math.min(side, top + size); y++) {
          int from = (c * side + y) * side;
          Arrays.fill(picture, from + Math.max(0, left), from + Math.min(side, left + size), value);
        }
      }
    }
    return picture;
  }

  private static double mean(float[] picture, int side, int scale, int colour, int cell) {
    int left = cell % CELLS * scale;
    int top = cell / CELLS * scale;
    double sum = 0;
    for (int y = top; y < top + scale; y++) {
      for (int x = left; x < left + scale; x++) {
        sum += picture[(colour * side + y) * side + x];
      }
    }
    return sum / (scale * scale);
  }

  /** Gaussian elimination with pivots; the arguments stay as they are. */
  private static double[] solve(double[][] matrix, double[] right) {
    int n = right.length;
    double[][] rows = new double[n][];
    for (int i = 0; i < n; i++) {
      rows[i] = Arrays.copyOf(matrix[i], n + 1);
      rows[i][n] = right[i];
    }
    for (int column = 0; column < n; column++) {
      int pivot = column;
      for (int i = column + 1; i < n; i++) {
        if (Math.abs(rows[i][column]) > Math.abs(rows[pivot][column])) {
          pivot = i;
        }
      }
      double[] swap = rows[column];
      rows[column] = rows[pivot];
      rows[pivot] = swap;
      for (int i = 0; i < n; i++) {
        if (i != column) {
          double factor = rows[i][column] / rows[column][column];
          for (int k = column; k <= n; k++) {
            rows[i][k] -= factor * rows[column][k];
          }
        }
      }
    }
    double[] solution = new double[n];
    for (int i = 0; i < n; i++) {
      solution[i] = rows[i][n] / rows[i][i];
    }
    return solution;
  }

  /**
   * Paints latents.
   *
   * @param tokens {@code [1, rows * cols, 4 channels]}, FLOAT32; borrowed
   * @param grid rows and columns of tokens
   * @return two pixels for every token in each direction
   */
  BufferedImage picture(NDArray tokens, TokenGrid grid) {
    byte[] levels;
    try (NDArray rows = tokens.reshape(grid.tokens(), factors.getShape().get(0));
        NDArray products = rows.matMul(factors);
        NDArray sums = products.add(offsets);
        NDArray clipped = sums.clip(0, 255);
        NDArray whole = clipped.toType(DataType.UINT8, true)) {
      levels = whole.toByteArray();
    }
    int width = 2 * grid.cols();
    int height = 2 * grid.rows();
    int[] rgb = new int[width * height];
    int from = 0;
    for (int row = 0; row < height; row += 2) {
      for (int col = 0; col < width; col += 2) {
        for (int part = 0; part < PARTS; part++) {
          rgb[(row + part / 2) * width + col + part % 2] =
              ((levels[from] & 255) << 16)
                  | ((levels[from + 1] & 255) << 8)
                  | (levels[from + 2] & 255);
          from += COLOURS;
        }
      }
    }
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    image.getRaster().setDataElements(0, 0, width, height, rgb); // as they lie, unlike setRGB
    return image;
  }

  @Override
  public void close() {
    factors.close();
    offsets.close();
  }
}
