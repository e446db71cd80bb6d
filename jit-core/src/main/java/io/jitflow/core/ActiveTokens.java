package io.jitflow.core;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import io.jitflow.core.token.TokenGrid;
import io.jitflow.core.token.TokenSubset;

/**
 * The tokens that a model evaluates during a stage, and their places as an array on the model's
 * device.
 *
 * <p>Owned by the sampler, which frees it at the end of the stage.
 */
public final class ActiveTokens implements AutoCloseable {
  private final TokenSubset subset;
  private final NDManager manager;
  private final NDArray positions;
  private final NDArray rows;

  /**
   * Puts a subset on a device. Samplers do this; callers need it only to call a model themselves.
   *
   * @param parent the parent of the manager that owns the arrays; its device is used
   * @param subset the tokens of every sample
   */
  public ActiveTokens(NDManager parent, TokenSubset subset) {
    this.subset = subset;
    TokenGrid grid = subset.grid();
    int count = subset.samples() * subset.count();
    float[] places = new float[3 * count];
    long[] flat = new long[count];
    int next = 0;
    for (int b = 0; b < subset.samples(); b++) {
      for (int k = 0; k < subset.count(); k++, next++) {
        int token = subset.index(b, k);
        places[3 * next + 1] = grid.row(token);
        places[3 * next + 2] = grid.col(token);
        flat[next] = (long) b * grid.tokens() + token;
      }
    }
    this.manager = parent.newSubManager();
    this.positions = manager.create(places, new Shape(subset.samples(), subset.count(), 3));
    this.rows = manager.create(flat);
  }

  /**
   * Returns which tokens these are.
   *
   * @return the subset
   */
  public TokenSubset subset() {
    return subset;
  }

  /** The owner of what lives as long as these tokens. */
  NDManager manager() {
    return manager;
  }

  /**
   * Returns the places of the tokens, as FLUX's position ids.
   *
   * @return {@code [B, m, 3]}, FLOAT32: frame (0), row, column; borrowed
   */
  public NDArray positions() {
    return positions;
  }

  /**
   * Gathers these tokens, S_k^T.
   *
   * @param all all tokens {@code [B, N, d]}; not changed
   * @param owner the owner of the result
   * @return {@code [B, m, d]}, a new array
   */
  public NDArray select(NDArray all, NDManager owner) {
    Shape shape = all.getShape();
    try (NDArray flat = all.reshape(-1, shape.get(2));
        NDArray picked = flat.get(owner, new NDIndex("{}", rows))) {
      NDArray tokens = picked.reshape(shape.get(0), subset.count(), shape.get(2));
      tokens.attach(owner);
      return tokens;
    }
  }

  /**
   * Writes these tokens.
   *
   * @param all all tokens {@code [B, N, d]}, contiguous, changed at these places
   * @param tokens {@code [B, m, d]} of the same type; not changed
   */
  public void write(NDArray all, NDArray tokens) {
    long channels = all.getShape().get(2);
    try (NDArray flat = all.reshape(-1, channels);
        NDArray values = tokens.reshape(-1, channels)) {
      flat.set(new NDIndex("{}", rows), values);
    }
  }

  /** Frees the native arrays. */
  @Override
  public void close() {
    manager.close();
  }
}
